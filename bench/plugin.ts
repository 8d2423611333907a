/**
 * The plugin's transports beside each other under a host on grpc-go, in turns: `node bench/plugin.ts --rounds 5`.
 * Needs Go, for bench/plugin/host only. Another plugin joins with `--also NAME=COMMAND`, for example one in Go.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hasPeer } from '../test/support/peers.ts';
import { scratch } from '../test/support/scratch.ts';
import { Collector } from './suite/collector.ts';
import { readFlags } from './suite/flags.ts';
import type { Unit } from './suite/schema.ts';
import { median } from './suite/statistics.ts';

const run = promisify(execFile);
const HOST = fileURLToPath(new URL('./plugin/host', import.meta.url));
const NULL_SERVICE = fileURLToPath(new URL('./plugin/nullService.ts', import.meta.url));

/** What the host reports of a phase; which fields there are depends on the phase. */
type Phase = Readonly<Record<string, number>>;
interface Report {
  readonly startMs: number;
  readonly peakRssMiB: number;
  readonly [phase: string]: number | Phase;
}

type Column = readonly [title: string, phase: string, field: string, digits: number, unit: Unit];

/** Columns of the table: name, where the figure stands in a report, digits and unit. */
const COLUMNS: readonly Column[] = [
  ['Put 1, MiB/s', 'put1', 'mibPerSecond', 0, 'MiB/s'],
  ['Put 8, MiB/s', 'put8', 'mibPerSecond', 0, 'MiB/s'],
  ['Put 8, CPU s/GiB', 'put8', 'cpuSecondsPerGiB', 2, 'CPU s/GiB'],
  ['Get 8, MiB/s', 'get8', 'mibPerSecond', 0, 'MiB/s'],
  ['Get 8, CPU s/GiB', 'get8', 'cpuSecondsPerGiB', 2, 'CPU s/GiB'],
  ['ranged Gets/s, 1', 'range1', 'callsPerSecond', 0, 'ops/s'],
  ['ranged Gets/s, 8', 'range8', 'callsPerSecond', 0, 'ops/s'],
  ['CPU ms each', 'range8', 'cpuMsPerCall', 3, 'CPU ms/call'],
  ['Ping µs', 'ping', 'medianUs', 0, 'us'],
];

const values = readFlags("The plugin's transports under a host on grpc-go, which Go has to build.", {
  rounds: { type: 'string', default: '5', means: 'runs of each, in turns' },
  seconds: { type: 'string', default: '1', means: 'of each phase of a run' },
  json: { type: 'string', means: 'where the results go' },
  also: { type: 'string', multiple: true, default: [], means: 'NAME=COMMAND: another plugin' },
});

const contestants = new Map<string, readonly string[]>([
  ['ours', [process.execPath, NULL_SERVICE, 'own']],
  ['node:http2', [process.execPath, NULL_SERVICE, 'node']],
]);
for (const also of values.also) {
  const [name = '', command = ''] = also.split(/=(.*)/s);
  contestants.set(name, command.split(' '));
}

if (!hasPeer('go')) {
  console.error('skipped: the transports of the plugin, since go is not on this machine');
  process.exit(0);
}
const folder = await scratch('bench-host');
try {
  const host = join(folder.path, 'host');
  await run('go', ['build', '-o', host, '.'], { cwd: HOST });
  const reports = new Map<string, Report[]>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, command] of contestants) {
      const { stdout } = await run(host, ['-seconds', values.seconds, '--', ...command]);
      reports.set(name, [...(reports.get(name) ?? []), JSON.parse(stdout) as Report]);
    }
  }
  console.log(table(reports));
  const collector = new Collector(values.json);
  for (const [contestant, of] of reports) for (const report of of) collect(collector, contestant, report);
  await collector.save();
} finally {
  await folder.remove();
}

function table(reports: ReadonlyMap<string, readonly Report[]>): string {
  const rows = [...reports].map(([name, of]) => [
    name,
    ...COLUMNS.map(([, phase, field, digits]) =>
      median(of.map((report) => (report[phase] as Phase)[field] ?? Number.NaN)).toFixed(digits),
    ),
    median(of.map((report) => report.startMs)).toFixed(0),
    median(of.map((report) => report.peakRssMiB)).toFixed(0),
  ]);
  const head = ['transport', ...COLUMNS.map(([title]) => title), 'first answer, ms', 'peak RSS, MiB'];
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function collect(collector: Collector, contestant: string, report: Report): void {
  const peakRssBytes = report.peakRssMiB * 1024 * 1024;
  for (const [title, phase, field, , unit] of COLUMNS) {
    const value = (report[phase] as Phase)[field];
    const task = `plugin: ${title.replace(/, .*| µs/, '')}`;
    const concurrency = Number(/\d+$/.exec(phase)?.[0] ?? 1);
    if (value !== undefined) collector.add({ task, contestant, concurrency }, unit, value, { peakRssBytes });
  }
  collector.add({ task: 'plugin: first answer', contestant }, 'ms', report.startMs, { peakRssBytes });
}
