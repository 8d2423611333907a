import { randomBytes } from 'node:crypto';
import { asKlosetError, KlosetError, throwIfAborted } from '../../errors.ts';
import { systemClock } from '../../flow/clock.ts';
import { parseReference } from '../../registry/reference.ts';
import { noiseFrom } from '../noise.ts';
import { type OciStoreOptions, type OpenOciStore, openOciStore } from '../openStore.ts';
import type { CellMode } from './cells.ts';
import { Measurements } from './measure.ts';
import { type Bound, Meter } from './meter.ts';
import { type BenchPlace, placesFor, settle } from './place.ts';
import { type BenchBounds, type BenchPlan, leastCost, type PlanOptions, planBench } from './plan.ts';
import { type Results, type RoundEvent, runRounds } from './rounds.ts';
import { type BenchLeftovers, Trail } from './trail.ts';
import { type BenchVerdict, type CellResult, judge } from './verdict.ts';

/** What a run tells while it goes on. */
export type BenchEvent =
  | { readonly type: 'place'; readonly location: string; readonly own: boolean }
  | RoundEvent
  | { readonly type: 'cleaning' }
  | { readonly type: 'cleaned'; readonly leftovers: BenchLeftovers };

export interface BenchOptions {
  readonly bounds: BenchBounds;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BenchEvent) => void) | undefined;
  /** Of the contents: two runs with one seed send the same bytes. @default random */
  readonly seed?: string | undefined;
}

/** All that came of a run. */
export interface BenchFindings {
  readonly location: string;
  /** Where the objects were. */
  readonly place: Pick<BenchPlace, 'location' | 'own'>;
  readonly startedAt: string;
  /** Without taking away the last round. */
  readonly seconds: number;
  /** That were sent in all. */
  readonly requests: number;
  /** Of payload, sent and asked for. */
  readonly bytes: number;
  readonly results: readonly CellResult[];
  readonly verdict: BenchVerdict;
  readonly leftOut: readonly string[];
  /** The bound that ended it before it had done what was planned. */
  readonly cutShort: Bound | undefined;
  readonly leftovers: BenchLeftovers;
}

/** More at once than a store does by default, so that there is something to compare. */
const MOST_LANES = 32;
const CLEAN_UP_MS = 120_000;
/** Shorter than the time that an interrupted command has: {@link BENCH_GRACE_MS}. */
const INTERRUPTED_CLEAN_UP_MS = 25_000;
/** How long a run may take to end once it was interrupted, in milliseconds. */
export const BENCH_GRACE_MS = 30_000;

/**
 * What a run would do.
 *
 * @throws KlosetError USAGE where the bounds do not allow any
 */
export function planFor(options: OciStoreOptions, bounds: BenchBounds): BenchPlan {
  const planned: PlanOptions = {
    comparesModes: options.uploadMode === undefined || options.uploadMode === 'auto',
    maxLanes: options.concurrency ?? MOST_LANES,
    chunkBytes: options.chunkBytes,
  };
  const plan = planBench(bounds, planned);
  if (plan.cells.length > 0) return plan;
  const { requests, bytes } = leastCost();
  throw new KlosetError('USAGE', 'the bounds are too small to measure anything', {
    remedy: `Allow at least --max-requests ${requests} and --max-bytes ${Math.ceil(bytes / 1024 ** 2)}MiB.`,
  });
}

/**
 * Measures a registry with objects of its own, in rounds, and takes everything away again: after each round, and
 * whatever ends it.
 *
 * @throws KlosetError LOCATION_INVALID, USAGE, CANCELLED, and what the registry refuses
 */
export async function bench(
  location: string,
  options: OciStoreOptions,
  { bounds, signal, onEvent = () => {}, seed = randomBytes(16).toString('hex') }: BenchOptions,
): Promise<BenchFindings> {
  const plan = planFor(options, bounds);
  const reference = parseReference(location, { useTls: options.useTls });
  const places = placesFor(reference, randomBytes(6).toString('hex'));
  const stores: Partial<Record<CellMode, OpenOciStore>> = {};
  // Also those that are closed already: what they have sent counts.
  const opened: OpenOciStore[] = [];
  const sent = () => opened.reduce((sum, store) => sum + requestsOf(store), 0);
  const trail = new Trail();
  const meter = new Meter(bounds, systemClock, {
    sent,
    owed: (request) => trail.owed(request),
    bytesOf: (digest) => trail.bytesOf(digest),
    origin: reference.origin,
  });
  const open = (place: BenchPlace, more: OciStoreOptions = {}): OpenOciStore => {
    const store = openOciStore(place.location, {
      concurrency: MOST_LANES,
      ...defined(options),
      ...more,
      // A host that hands over packfiles has just made them: it asks for none of them first.
      looksBeforePut: false,
      allowSharedRepository: true,
      around: (next) => meter.around(trail.around(place.around(next))),
    });
    opened.push(store);
    return store;
  };
  const results: Results = new Map();
  const deadline = setTimeout(() => meter.reached('seconds'), bounds.maxSeconds * 1000);
  const startedAt = new Date().toISOString();
  const startMs = performance.now();
  let place: BenchPlace | undefined;
  let leftovers: BenchLeftovers = { tags: 0, blobs: 0, blobBytes: 0 };
  let seconds = 0;
  try {
    const stop = signal ? AbortSignal.any([signal, meter.signal]) : meter.signal;
    await untilBound(meter, signal, async () => {
      const settled = await settle(places, (at) => open(at), stop);
      place = settled.place;
      trail.ownsRepository = place.own;
      stores.configured = settled.opened;
      stores.chunked = open(place, { uploadMode: 'chunked' });
      onEvent({ type: 'place', location: place.location, own: place.own });
      const { exchange } = settled.opened;
      const takeAway = async () => {
        meter.takesAway = true;
        await trail.empty(exchange, stop);
        meter.takesAway = false;
      };
      const expect = (digest: string, bytes: number) => trail.expect(digest, bytes);
      const measurements = new Measurements({ stores, noise: noiseFrom(seed), signal: stop, expect });
      await runRounds(plan, { measurements, results, signal: stop, onEvent, takeAway });
    });
    seconds = (performance.now() - startMs) / 1000;
  } finally {
    clearTimeout(deadline);
    try {
      if (stores.configured) {
        onEvent({ type: 'cleaning' });
        meter.takesAway = true;
        const limitMs = signal?.aborted ? INTERRUPTED_CLEAN_UP_MS : CLEAN_UP_MS;
        leftovers = await trail.finish(stores.configured.exchange, AbortSignal.timeout(limitMs));
        onEvent({ type: 'cleaned', leftovers });
      }
    } finally {
      for (const store of Object.values(stores)) await store.close();
    }
  }
  const found = [...results.values()];
  return {
    location: places[1].location,
    place: { location: place?.location ?? places[1].location, own: place?.own ?? false },
    startedAt,
    seconds,
    requests: sent(),
    bytes: meter.bytes,
    results: found,
    verdict: judge(found),
    leftOut: plan.leftOut.map(({ name }) => name),
    cutShort: meter.cutShort,
    leftovers,
  };
}

/** What a bound has ended is no failure. */
async function untilBound(
  meter: Meter,
  signal: AbortSignal | undefined,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    throwIfAborted(signal);
    if (meter.cutShort === undefined) throw asKlosetError(error);
  }
  throwIfAborted(signal);
}

function requestsOf(store: OpenOciStore): number {
  return Object.values(store.stats().requests).reduce((sum, count) => sum + count, 0);
}

/** Without what is not set, which would hide a default. */
function defined(options: OciStoreOptions): OciStoreOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
