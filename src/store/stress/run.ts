import { type Clock, systemClock } from '../../flow/clock.ts';
import type { Exchange } from '../../registry/exchange.ts';
import { describeReference } from '../../registry/reference.ts';
import { Trash } from '../doctor/trash.ts';
import { type StressBounds, StressBudget } from './budget.ts';
import { type KindFinding, recommend, type StressFindings } from './findings.ts';
import { measureBurst, offerLoad, type Shot } from './load.ts';
import { nextConnections, type ParallelStep, runParallel } from './parallel.ts';
import { findRate, nextLoad } from './ramp.ts';
import { LOADED_KINDS, type LoadedKind, Shots } from './shots.ts';
import { percentile, type Sample, type Step } from './step.ts';

/** What a run tells while it goes on. */
export type StressEvent =
  | { readonly type: 'load'; readonly kind: LoadedKind; readonly perSecond: number; readonly seconds: number }
  | { readonly type: 'sample'; readonly kind: LoadedKind; readonly sample: Sample }
  | { readonly type: 'step'; readonly kind: LoadedKind; readonly step: Step }
  | { readonly type: 'found'; readonly finding: KindFinding }
  | { readonly type: 'transfers'; readonly what: 'uploads' | 'downloads'; readonly step: ParallelStep }
  | { readonly type: 'cleaning' };

export interface StressOptions {
  readonly bounds: StressBounds;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: StressEvent) => void) | undefined;
}

const ROUND_TRIPS = 10;
const MAX_PER_SECOND = 1024;
/** Share of the requests that one kind may take, so that the others have their turn. */
const KIND_SHARE = 0.3;
const BLOB_BYTES = 2 * 1024 * 1024;
const BURST_REQUESTS = 200;
/** A registry that asked for nothing gets this much to fill up a burst, in milliseconds. */
const PAUSE_MS = 2000;
const MAX_PAUSE_MS = 10_000;
const CLEAN_UP_MS = 120_000;

/**
 * Loads a registry until it refuses more, within bounds, and takes everything away again.
 *
 * @param exchange one that holds back no requests; what it repeats matters for taking away alone
 * @throws KlosetError of the registry where not even the first objects can be stored, CANCELLED
 */
export async function stress(exchange: Exchange, options: StressOptions): Promise<StressFindings> {
  const { clock = systemClock, signal, onEvent = () => {}, bounds } = options;
  const budget = new StressBudget(bounds, clock);
  const trash = new Trash();
  // The registry's own answers are what is looked for: nothing is repeated.
  const once = { ...exchange, policy: { ...exchange.policy, maxAttempts: 1, noProgressMs: 0 } };
  const shots = new Shots(once, trash, signal);
  const startedAt = new Date().toISOString();
  const startMs = clock.now();
  let findings: Omit<StressFindings, 'leftovers'>;
  let leftovers = { tags: 0, blobs: 0 };
  try {
    await shots.prepare();
    const roundTripMs = await roundTrip(shots, budget, clock);
    const kinds: KindFinding[] = [];
    for (const kind of LOADED_KINDS) {
      const finding = await loadKind(kind, shots, budget, bounds, clock, signal, onEvent);
      kinds.push(finding);
      onEvent({ type: 'found', finding });
    }
    const uploaded: string[] = [];
    const half = budget.bytesLeft / 2;
    const uploads = await transfer('uploads', half, budget, clock, onEvent, async () => {
      const { digest, bytes } = await shots.upload(BLOB_BYTES)();
      if (digest) uploaded.push(digest);
      return bytes;
    });
    const [first] = uploaded;
    const downloads = first
      ? await transfer('downloads', half, budget, clock, onEvent, shots.download(first))
      : [];
    findings = {
      location: `oci://${describeReference(exchange.reference)}`,
      startedAt,
      seconds: (clock.now() - startMs) / 1000,
      requests: budget.requests,
      bytes: budget.bytes,
      roundTripMs,
      kinds,
      uploads,
      downloads,
      recommended: recommend(uploads, kinds),
      cutShort: cutShort(budget),
    };
  } finally {
    onEvent({ type: 'cleaning' });
    const left = await trash.empty(exchange, AbortSignal.timeout(CLEAN_UP_MS));
    leftovers = { tags: left.tags.length, blobs: left.blobs };
  }
  return { ...findings, leftovers };
}

async function roundTrip(shots: Shots, budget: StressBudget, clock: Clock): Promise<number> {
  const shoot = shots.of('manifest-read');
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS && budget.spend(1); i++) {
    const startMs = clock.now();
    await shoot();
    times.push(clock.now() - startMs);
  }
  return percentile(
    times.sort((a, b) => a - b),
    0.5,
  );
}

async function loadKind(
  kind: LoadedKind,
  shots: Shots,
  budget: StressBudget,
  bounds: StressBounds,
  clock: Clock,
  signal: AbortSignal | undefined,
  onEvent: (event: StressEvent) => void,
): Promise<KindFinding> {
  const share = Math.floor(bounds.maxRequests * KIND_SHARE);
  const before = budget.requests;
  const shoot: Shot = async () => (budget.spend(1) ? shots.of(kind)() : { outcome: 'failed' });
  const steps: Step[] = [];
  const samples: Sample[] = [];
  const epochMs = clock.now();
  for (;;) {
    const left = Math.min(share - (budget.requests - before), budget.requestsLeft);
    const load =
      budget.secondsLeft > 0
        ? nextLoad(steps, { maxPerSecond: MAX_PER_SECOND, maxRequests: left })
        : undefined;
    if (!load) break;
    onEvent({ type: 'load', kind, ...load });
    const seconds = Math.min(load.seconds, budget.secondsLeft);
    const offsetMs = clock.now() - epochMs;
    const step = await offerLoad({ ...load, seconds }, shoot, clock, signal, (sample) => {
      const placed = { ...sample, atMs: sample.atMs + offsetMs };
      samples.push(placed);
      onEvent({ type: 'sample', kind, sample: placed });
    });
    steps.push(step);
    onEvent({ type: 'step', kind, step });
  }
  const rate = findRate(steps);
  const waits = steps.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  const retryAfterMs = waits.length > 0 ? Math.max(...waits) : undefined;
  let burst: number | undefined;
  if (rate.limit === 'cap' && budget.requestsLeft > 0 && budget.secondsLeft > 0) {
    await clock.sleep(Math.min(MAX_PAUSE_MS, Math.max(PAUSE_MS, retryAfterMs ?? 0)), signal);
    burst = await measureBurst(Math.min(BURST_REQUESTS, budget.requestsLeft), shoot, rate.perSecond, clock);
  }
  return { kind, ...rate, steps, samples, burst, retryAfterMs };
}

async function transfer(
  what: 'uploads' | 'downloads',
  maxBytes: number,
  budget: StressBudget,
  clock: Clock,
  onEvent: (event: StressEvent) => void,
  one: () => Promise<number>,
): Promise<ParallelStep[]> {
  const steps: ParallelStep[] = [];
  let moved = 0;
  for (
    let connections = nextConnections(steps);
    connections !== undefined;
    connections = nextConnections(steps)
  ) {
    const each = connections === 1 ? 2 : 1;
    // An upload is a session and a commit.
    const requests = connections * each * (what === 'uploads' ? 2 : 1);
    const bytes = connections * each * BLOB_BYTES;
    if (moved + bytes > maxBytes || !budget.spend(requests, bytes)) break;
    moved += bytes;
    const step = await runParallel(connections, each, one, clock);
    steps.push(step);
    onEvent({ type: 'transfers', what, step });
  }
  return steps;
}

function cutShort(budget: StressBudget): StressFindings['cutShort'] {
  if (budget.secondsLeft <= 0) return 'seconds';
  if (budget.requestsLeft <= 0) return 'requests';
  if (budget.bytesLeft < BLOB_BYTES) return 'bytes';
  return undefined;
}
