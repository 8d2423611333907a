/** What a registry with caps gets to see of its clients in real time, as tables. */
import { type LiveOptions, type LiveRun, live } from './live.ts';
import type { LiveCaps } from './liveRegistry.ts';

export interface LiveLoad {
  /** Manifests that the registry takes per second; ten times as many sessions. */
  readonly perSecond: number;
  /** Objects of a client that is alone. */
  readonly objects: number;
  /** How long two clients share the registry. */
  readonly sharedSeconds: number;
}

/** Until the rate is learned; after a change; until two clients have found each other's measure. */
const WARM_UP_MS = 10_000;
const SETTLING_MS = 15_000;
const MEETING_MS = 20_000;

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const row = (cells: readonly (string | number)[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);

/** Manifests accepted of those that were permitted in a time, of all clients or of one. */
function permittedShare(
  { plan }: LiveRun,
  perSecond: number,
  fromMs: number,
  toMs: number,
  repository?: string,
): number {
  return plan.manifests(fromMs, toMs, repository).accepted / (((toMs - fromMs) / 1000) * perSecond);
}

function refusedOf({ plan: { counted } }: LiveRun): string {
  return `${counted.filter(({ accepted }) => !accepted).length} of ${counted.length}`;
}

/** All variants one after the other; prints one line for each. */
export async function runLive({ perSecond, objects, sharedSeconds }: LiveLoad): Promise<void> {
  const bucket = (rate: number) => ({ perSecond: rate, burst: rate });
  const caps: LiveCaps = { manifests: bucket(perSecond), sessions: bucket(10 * perSecond) };
  row(['registry', 'seconds', 'of the permitted, once settled', 'refused from then on', 'refused at all']);
  row(['---', '---:', '---:', '---:', '---:']);
  const alone: [string, Partial<LiveOptions>][] = [
    ['caps unknown', {}],
    ['caps unknown, Retry-After: 1', { caps: { ...caps, retryAfterSeconds: 1 } }],
    ['caps known', { known: true }],
    ['caps unknown, halved half-way', { later: bucket(perSecond / 2) }],
  ];
  for (const [name, more] of alone) {
    const run = await live({ objects, caps, ...more });
    const { startMs, endMs, laterMs, plan } = run;
    const fromMs = laterMs === undefined ? startMs + WARM_UP_MS : laterMs + SETTLING_MS;
    const share = permittedShare(run, laterMs === undefined ? perSecond : perSecond / 2, fromMs, endMs);
    const { refused } = plan.manifests(fromMs, endMs);
    row([name, ((endMs - startMs) / 1000).toFixed(0), percent(share), refused, refusedOf(run)]);
  }
  process.stdout.write('\n');
  row(['two processes', 'seconds', 'of the permitted, after 20 s', 'the one', 'the other', 'refused at all']);
  row(['---', '---:', '---:', '---:', '---:', '---:']);
  for (const known of [false, true]) {
    const run = await live({ objects: 1e6, caps, known, clients: 2, seconds: sharedSeconds });
    const [fromMs, toMs] = [run.startMs + MEETING_MS, run.endMs - 1000];
    const shares = [undefined, ...run.repositories].map((one) =>
      percent(permittedShare(run, perSecond, fromMs, toMs, one)),
    );
    const seconds = ((run.endMs - run.startMs) / 1000).toFixed(0);
    row([known ? 'caps known' : 'caps unknown', seconds, ...shares, refusedOf(run)]);
  }
}
