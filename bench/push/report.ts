/** From single runs to medians, ratios and a markdown table. */
import { median } from '../suite/statistics.ts';

export interface Run {
  registry: string;
  contestant: string;
  latencyMs: number;
  round: number;
  seconds: number;
  cpuSeconds: number;
  peakRssBytes: number;
  /** What the other processes on the same cores used meanwhile. */
  registryCpuSeconds: number;
  proxyCpuSeconds: number;
}

export interface Row {
  registry: string;
  contestant: string;
  latencyMs: number;
  runs: number;
  medianSeconds: number;
  minSeconds: number;
  maxSeconds: number;
  mibPerSecond: number;
  cpuSecondsPerGiB: number;
  peakRssMiB: number;
  registryCpuSecondsPerGiB: number;
  proxyCpuSecondsPerGiB: number;
  /** How many times as fast as `oras push` and as `crane push`. */
  timesOras?: number;
  timesCrane?: number;
}

const MIB = 1024 * 1024;

export function summarise(runs: readonly Run[], bytes: number): Row[] {
  const groups = Map.groupBy(runs, (run) => JSON.stringify([run.latencyMs, run.registry, run.contestant]));
  const rows = [...groups.values()].map((group) => row(group, bytes));
  const speedOf = (name: string, like: Row) =>
    rows.find((r) => r.contestant === name && r.registry === like.registry && r.latencyMs === like.latencyMs)
      ?.medianSeconds;
  return rows.map((r) => {
    const oras = speedOf('oras', r);
    const crane = speedOf('crane', r);
    return {
      ...r,
      ...(oras !== undefined && { timesOras: oras / r.medianSeconds }),
      ...(crane !== undefined && { timesCrane: crane / r.medianSeconds }),
    };
  });
}

function row(group: readonly Run[], bytes: number): Row {
  const [first] = group;
  if (first === undefined) throw new Error('a group without runs');
  const seconds = group.map((run) => run.seconds);
  const medianSeconds = median(seconds);
  const perGiB = (of: (run: Run) => number) => median(group.map(of)) / (bytes / (1024 * MIB));
  return {
    registry: first.registry,
    contestant: first.contestant,
    latencyMs: first.latencyMs,
    runs: group.length,
    medianSeconds,
    minSeconds: Math.min(...seconds),
    maxSeconds: Math.max(...seconds),
    mibPerSecond: bytes / MIB / medianSeconds,
    cpuSecondsPerGiB: perGiB((run) => run.cpuSeconds),
    registryCpuSecondsPerGiB: perGiB((run) => run.registryCpuSeconds),
    proxyCpuSecondsPerGiB: perGiB((run) => run.proxyCpuSeconds),
    peakRssMiB: Math.max(...group.map((run) => run.peakRssBytes)) / MIB,
  };
}

const HEADER = [
  'registry',
  'contestant',
  'seconds (median)',
  'min–max',
  'MiB/s',
  '× oras',
  '× crane',
  'client CPU s/GiB',
  'registry CPU s/GiB',
  'proxy CPU s/GiB',
  'peak RSS MiB',
];

/** One table per round trip time. */
export function markdown(rows: readonly Row[]): string {
  const tables = [...Map.groupBy(rows, (row) => row.latencyMs)].map(([latency, group]) => {
    const title = latency === 0 ? 'Loopback' : `${latency} ms round trip (toxiproxy)`;
    const lines = group.map((r) => [
      r.registry,
      r.contestant,
      r.medianSeconds.toFixed(2),
      `${r.minSeconds.toFixed(2)}–${r.maxSeconds.toFixed(2)}`,
      r.mibPerSecond.toFixed(0),
      r.timesOras?.toFixed(2) ?? '',
      r.timesCrane?.toFixed(2) ?? '',
      r.cpuSecondsPerGiB.toFixed(2),
      r.registryCpuSecondsPerGiB.toFixed(2),
      r.proxyCpuSecondsPerGiB.toFixed(2),
      r.peakRssMiB.toFixed(0),
    ]);
    const rule = HEADER.map((_, i) => (i < 2 ? '---' : '---:'));
    const table = [HEADER, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
    return `### ${title}\n\nMedians of ${group[0]?.runs ?? 0} interleaved runs.\n\n${table}\n`;
  });
  return tables.join('\n');
}
