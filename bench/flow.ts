/**
 * Flow control against modelled registries, beside other ways to do it, on a clock that jumps: `npm run bench:flow`
 * prints the tables and draws the figures of docs/flow.md. With `-- --live` it pushes to the embedded registry under
 * such caps instead, in real time and from processes of their own: with `--rate 60` in less than a minute each.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Chart, drawChart, type Point } from './flow/charts.ts';
import { aimd, awsAdaptive, fixed, type MakeController, ours } from './flow/controllers.ts';
import { runLive } from './flow/liveTable.ts';
import type { ModelSettings, Seen } from './flow/modelRegistry.ts';
import { CAPPED, documentedCaps, HALVING, SCENARIOS, type Scenario, SHARED } from './flow/scenarios.ts';
import { figuresOf, type Load, type Run, simulate } from './flow/simulate.ts';

const { values } = parseArgs({
  options: {
    live: { type: 'boolean', default: false },
    rate: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '58' },
    objects: { type: 'string', default: '2000' },
    images: { type: 'string', default: join(import.meta.dirname, '..', 'docs', 'images') },
  },
});

interface Contestant {
  readonly name: string;
  readonly make: (scenario: Scenario) => MakeController;
  readonly load?: Partial<Load>;
}

const CONTESTANTS: readonly Contestant[] = [
  { name: 'kloset-oci', make: () => ours() },
  { name: 'kloset-oci, caps known', make: (scenario) => ours('known', documentedCaps(scenario)) },
  { name: 'fixed 8', make: () => fixed, load: { workers: 8 } },
  { name: 'fixed 64', make: () => fixed, load: { workers: 64 } },
  { name: 'AIMD', make: () => aimd, load: { workers: 64 } },
  { name: 'AWS adaptive', make: () => awsAdaptive, load: { workers: 64 } },
];

const run = (contestant: Contestant, scenario: Scenario): Promise<Run> =>
  simulate(scenario.settings, contestant.make(scenario), { ...scenario.load, ...contestant.load });

function percent(share: number): string {
  return Number.isNaN(share) ? '' : `${(share * 100).toFixed(1)} %`;
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

async function table(scenario: Scenario): Promise<string> {
  const heads = ['', 'seconds', 'of the permitted', 'refused', 'share refused', 'peak uploads'];
  let text = `\n### ${scenario.settings.name}\n\n${row(heads)}${row(heads.map((_, at) => (at === 0 ? '---' : '---:')))}`;
  for (const contestant of CONTESTANTS) {
    if (contestant.name.endsWith('known') && scenario.settings.caps.length === 0) continue;
    const result = await run(contestant, scenario);
    const end = scenario.load.untilMs === undefined ? undefined : scenario.load.untilMs - 10_000;
    const settled = figuresOf(result, scenario.settings, scenario.settledMs, end);
    const all = figuresOf(result, scenario.settings);
    text += row([
      contestant.name,
      result.seconds.toFixed(0),
      percent(settled.permittedShare) + sharesOf(result, scenario, end),
      all.refused,
      percent(all.refused / all.requests),
      result.peakBulk,
    ]);
  }
  return text;
}

/** What each of two clients got of the cap. */
function sharesOf(result: Run, { settings, load }: Scenario, end: number | undefined): string {
  if (load.clients === undefined) return '';
  const shares = ['A', 'B'].map((one) => percent(figuresOf(result, settings, 0, end, one).permittedShare));
  return ` (${shares.join(' + ')})`;
}

function acceptedPerSecond(seen: readonly Seen[], series: string, stepS = 5): Point[] {
  const counts = new Map<number, number>();
  for (const { ms, kind, status } of seen) {
    if (kind !== 'manifest-write' || status !== 201) continue;
    const at = Math.floor(ms / 1000 / stepS) * stepS;
    counts.set(at, (counts.get(at) ?? 0) + 1);
  }
  return [...counts].map(([seconds, count]) => ({ seconds, value: count / stepS, series }));
}

function refusedSoFar(seen: readonly Seen[], series: string): Point[] {
  let count = 0;
  const points: Point[] = [{ seconds: 0, value: 0, series }];
  for (const { ms, status } of seen) {
    if (status !== 429) continue;
    count++;
    const seconds = Math.round(ms / 1000);
    if (points.at(-1)?.seconds !== seconds) points.push({ seconds, value: count, series });
  }
  return [...points, { seconds: 200, value: count, series }];
}

function permitted(settings: ModelSettings, endS: number) {
  const [cap] = settings.caps;
  if (!cap) return [];
  const later = { seconds: (cap.laterMs ?? endS * 1000) / 1000, value: cap.laterPerSecond ?? cap.perSecond };
  return [{ seconds: 0, value: cap.perSecond }, later, { ...later, seconds: endS }];
}

const draw = (name: string, chart: Chart) => drawChart(join(values.images, `flow-${name}.svg`), chart);

async function drawAll(): Promise<void> {
  const capped = await Promise.all(
    CONTESTANTS.map(async (one) => ({ name: one.name, run: await run(one, CAPPED) })),
  );
  await draw('refused', {
    title: 'Requests refused so far: 2,000 objects, 10 manifests/s',
    yTitle: 'refused (symlog)',
    points: capped.flatMap(({ name, run: { seen } }) => refusedSoFar(seen, name)),
    logarithmic: true,
  });
  await draw('accepted', {
    title: 'Manifests accepted per second, 10/s permitted',
    yTitle: 'per second',
    points: capped.flatMap(({ name, run: { seen } }) => acceptedPerSecond(seen, name)),
    permitted: permitted(CAPPED.settings, 200),
  });
  const halving = await simulate(HALVING.settings, ours(), HALVING.load);
  await draw('halving', {
    title: 'The learned rate, while the cap falls from 10 to 5 per second',
    yTitle: 'per second',
    points: [
      ...acceptedPerSecond(halving.seen, 'accepted'),
      ...halving.limits
        .filter(({ perSecond }) => perSecond !== undefined && perSecond < 20)
        .map(({ ms, perSecond = 0 }) => ({ seconds: ms / 1000, value: perSecond, series: 'learned rate' })),
    ],
    permitted: permitted(HALVING.settings, 300),
  });
  const shared = await simulate(SHARED.settings, ours(), SHARED.load);
  await draw('shared', {
    title: 'Two clients that share ten manifests per second',
    yTitle: 'accepted per second',
    points: ['A', 'B'].flatMap((client) =>
      acceptedPerSecond(
        shared.seen.filter((one) => one.client === client),
        `client ${client}`,
        10,
      ),
    ),
    permitted: permitted(SHARED.settings, 200),
  });
}

if (values.live) {
  await runLive({
    perSecond: Number(values.rate),
    objects: Number(values.objects),
    sharedSeconds: Number(values.seconds),
  });
} else {
  for (const scenario of SCENARIOS) process.stdout.write(await table(scenario));
  await drawAll();
}
