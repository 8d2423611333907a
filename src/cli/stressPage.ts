import type { KindFinding, StressFindings } from '../store/stress/findings.ts';
import type { ParallelStep } from '../store/stress/parallel.ts';
import { formatBytes, formatSeconds } from './format.ts';
import { htmlFigure, htmlPage, htmlTable, type PageSection } from './plots/page.ts';
import { toSvg } from './plots/svg.ts';
import { limitText } from './stressText.ts';

const WIDTH = 720;
const BIN_MS = 500;

/** What a stress run has found, as a page of its own. */
export async function stressPage(findings: StressFindings): Promise<string> {
  const sections: PageSection[] = [{ title: 'Limits', html: limitsTable(findings) }];
  for (const kind of findings.kinds.filter(({ samples }) => samples.length > 0)) {
    sections.push({
      title: kind.kind,
      html: [
        htmlFigure(
          await toSvg(rateChart(kind)),
          `Offered, accepted and refused ${kind.kind} requests per second`,
        ),
        htmlFigure(await toSvg(latencyChart(kind)), `Latency of ${kind.kind} by offered rate`),
        stepsTable(kind),
      ].join('\n'),
    });
  }
  if (findings.uploads.length > 0) {
    sections.push({
      title: 'Connections at once',
      html: htmlFigure(await toSvg(parallelChart(findings)), 'Bytes per second by number of connections'),
    });
  }
  return htmlPage(`Stress of ${findings.location}`, sections);
}

function limitsTable(findings: StressFindings): string {
  const { roundTripMs, kinds, uploads, downloads, requests, bytes, seconds, recommended } = findings;
  const best = (steps: readonly ParallelStep[]) =>
    `${formatBytes(Math.max(...steps.map(({ bytesPerSecond }) => bytesPerSecond)))}/s`;
  const rows: string[][] = [
    ['Started', findings.startedAt],
    ['Cost', `${requests} requests, ${formatBytes(bytes)}, ${formatSeconds(seconds)}`],
    ['Round trip', `${roundTripMs.toFixed(1)} ms`],
    ...kinds.map((kind) => {
      const burst = kind.burst === undefined ? '' : `, ${kind.burst} at once after a pause`;
      const wait =
        kind.retryAfterMs === undefined ? '' : `, asks to wait ${formatSeconds(kind.retryAfterMs / 1000)}`;
      return [kind.kind, `${limitText(kind)}${burst}${wait}`];
    }),
  ];
  if (uploads.length > 0) rows.push(['Upload', best(uploads)]);
  if (downloads.length > 0) rows.push(['Download', best(downloads)]);
  const options = Object.entries(recommended).map(([name, value]) => `${name}=${value}`);
  rows.push(['Options to use', options.join(' ') || 'the defaults']);
  return htmlTable(['What', 'Found'], rows);
}

function stepsTable({ steps }: KindFinding): string {
  const round = (value: number) => Number(value.toFixed(1));
  return htmlTable(
    ['offered/s', 'seconds', 'sent', 'accepted', 'refused', 'failed', 'p50 ms', 'p95 ms', 'p99 ms'],
    steps.map((step) => [
      round(step.offeredPerSecond),
      round(step.seconds),
      step.sent,
      step.accepted,
      step.throttled,
      step.failed,
      round(step.latencyMs.p50),
      round(step.latencyMs.p95),
      round(step.latencyMs.p99),
    ]),
  );
}

function rateChart({ samples }: KindFinding): Parameters<typeof toSvg>[0] {
  const bins = new Map<string, number>();
  const add = (seconds: number, what: string) => {
    const key = `${seconds} ${what}`;
    bins.set(key, (bins.get(key) ?? 0) + 1000 / BIN_MS);
  };
  for (const { atMs, outcome } of samples) {
    const seconds = (Math.floor(atMs / BIN_MS) * BIN_MS) / 1000;
    add(seconds, 'offered');
    add(seconds, outcome);
  }
  const values = [...bins].map(([key, perSecond]) => {
    const [seconds, what] = key.split(' ');
    return { seconds: Number(seconds), what, perSecond };
  });
  return {
    width: WIDTH,
    height: 220,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'seconds', type: 'quantitative', title: 'seconds' },
      y: { field: 'perSecond', type: 'quantitative', title: 'requests per second' },
      color: {
        field: 'what',
        type: 'nominal',
        title: null,
        sort: ['offered', 'accepted', 'throttled', 'failed'],
      },
    },
  };
}

function latencyChart({ steps }: KindFinding): Parameters<typeof toSvg>[0] {
  const values = steps
    .filter(({ accepted }) => accepted > 0)
    .flatMap(({ offeredPerSecond, latencyMs }) =>
      Object.entries(latencyMs).map(([percentile, ms]) => ({ offeredPerSecond, percentile, ms })),
    );
  return {
    width: WIDTH,
    height: 180,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'offeredPerSecond',
        type: 'quantitative',
        title: 'offered per second',
        scale: { type: 'log' },
      },
      y: { field: 'ms', type: 'quantitative', title: 'milliseconds' },
      color: { field: 'percentile', type: 'nominal', title: null },
    },
  };
}

function parallelChart({ uploads, downloads }: StressFindings): Parameters<typeof toSvg>[0] {
  const of = (what: string, steps: readonly ParallelStep[]) =>
    steps.map(({ connections, bytesPerSecond }) => ({
      what,
      connections,
      mibps: bytesPerSecond / 1024 ** 2,
    }));
  return {
    width: WIDTH,
    height: 220,
    data: { values: [...of('upload', uploads), ...of('download', downloads)] },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'connections', type: 'quantitative', scale: { type: 'log', base: 2 } },
      y: { field: 'mibps', type: 'quantitative', title: 'MiB/s' },
      color: { field: 'what', type: 'nominal', title: null },
    },
  };
}
