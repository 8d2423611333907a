import PQueue from 'p-queue';
import type { TransferEvent } from '../engine/events.ts';
import { streamSource } from '../engine/streamSource.ts';
import { asKlosetError, isKlosetError, KlosetError, throwIfAborted } from '../errors.ts';
import type { DirectoryStore } from './directoryStore.ts';
import { describeRef, type ObjectRef, type ObjectType } from './objectNames.ts';
import type { OciStore } from './ociStore.ts';
import type { PushItem, PushPlan } from './pushItems.ts';

/** What a transfer takes. */
export interface TransferOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TransferEvent) => void) | undefined;
  /** Objects under way at once. @default 16 */
  readonly concurrency?: number | undefined;
}

/** What a transfer has done. */
export interface TransferResult {
  /** Objects that are now at the target, the skipped ones included. */
  readonly objects: number;
  /** Objects that were there already. */
  readonly skipped: number;
  /** Bytes that were moved. */
  readonly bytes: number;
}

// States name packfiles, so that they come after them; the configuration makes a store of it all and comes last.
const WAVES: readonly (readonly ObjectType[])[] = [
  ['packfile', 'ecc-packfile'],
  ['state', 'ecc-state'],
  ['lock'],
];
const PULL_WAVES = WAVES.slice(0, 2);
const DEFAULT_CONCURRENCY = 16;

/**
 * Pushes what a plan holds. The first failure stops it: nothing new is started, what is under way is cancelled, and
 * no state becomes visible before every packfile is there.
 */
export async function pushAll(
  plan: PushPlan,
  target: OciStore,
  options: TransferOptions = {},
): Promise<TransferResult> {
  const { onEvent } = options;
  target.prepareUploads();
  // Files are hashed while the registry is being asked what it has; nothing is sent before it has answered.
  const admitted = admit(plan, target, options.signal);
  admitted.catch(() => {});
  onEvent?.({
    type: 'total',
    objects: plan.items.length,
    bytes: plan.items.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  const tally = { objects: 0, skipped: 0, bytes: 0 };
  for (const types of WAVES) {
    const wave = plan.items.filter(({ type }) => types.includes(type));
    await runAll(wave, options, (item, signal) => pushOne(item, target, admitted, tally, signal, onEvent));
  }
  await admitted;
  if (plan.config && !target.holdsConfig) {
    await target.create(plan.config, options.signal ? { signal: options.signal } : {});
  }
  return tally;
}

/** Learns what the target holds. @throws KlosetError STORE_EXISTS where that is another store */
async function admit(plan: PushPlan, target: OciStore, signal: AbortSignal | undefined): Promise<void> {
  await target.primeTags(signal ? { signal } : {});
  if (plan.config && target.holdsConfig) await checkSameStore(target, plan.config, target.location, signal);
}

/** Pulls a store into a directory. Whole objects that are there are kept; the configuration comes last. */
export async function pullAll(
  source: OciStore,
  target: DirectoryStore,
  options: TransferOptions = {},
): Promise<TransferResult> {
  const { signal, onEvent } = options;
  const config = await source.open(signal ? { signal } : {});
  await checkSameStore(target, config, target.location, signal);
  const tally = { objects: 0, skipped: 0, bytes: 0 };
  for (const types of PULL_WAVES) {
    const refs: ObjectRef[] = [];
    for (const type of types) {
      for await (const mac of source.list(type, signal ? { signal } : {})) refs.push({ type, mac });
    }
    onEvent?.({ type: 'total', objects: refs.length, bytes: 0 });
    await runAll(refs, options, (ref, waveSignal) =>
      pullOne(ref, source, target, tally, waveSignal, onEvent),
    );
  }
  await target.create(config).catch((error) => {
    if (!isKlosetError(error, 'STORE_EXISTS')) throw error;
  });
  return tally;
}

interface Tally {
  objects: number;
  skipped: number;
  bytes: number;
}

async function pushOne(
  item: PushItem,
  target: OciStore,
  admitted: Promise<void>,
  tally: Tally,
  signal: AbortSignal,
  onEvent: TransferOptions['onEvent'],
): Promise<void> {
  let name = item.mac ? describeRef({ type: item.type, mac: item.mac }) : item.type;
  try {
    const source = await item.open();
    if (!item.mac) name = source.name;
    onEvent?.({ type: 'object-start', name, bytes: item.bytes });
    const digest = await target.contentDigest(source, item.mac === undefined, signal);
    await admitted;
    const mac = item.mac ?? digest?.slice('sha256:'.length) ?? '';
    const result = await target.put({ type: item.type, mac }, source, {
      signal,
      digest,
      onSent: (bytes) => onEvent?.({ type: 'bytes', name, bytes }),
      onRetry: (error, delayMs) => onEvent?.({ type: 'retry', name, reason: error.summary, delayMs }),
    });
    settle(tally, result.bytes, result.skipped);
    onEvent?.({ type: 'object-done', name, bytes: result.bytes, skipped: result.skipped });
  } catch (error) {
    onEvent?.({ type: 'object-failed', name, error: asKlosetError(error) });
    throw error;
  }
}

async function pullOne(
  ref: ObjectRef,
  source: OciStore,
  target: DirectoryStore,
  tally: Tally,
  signal: AbortSignal,
  onEvent: TransferOptions['onEvent'],
): Promise<void> {
  const name = describeRef(ref);
  try {
    const { bytes } = await source.stat(ref, { signal });
    onEvent?.({ type: 'object-start', name, bytes });
    const present = await target.stat(ref).catch(() => undefined);
    const skipped = present?.bytes === bytes;
    if (!skipped) {
      const content = await source.get(ref, { signal });
      const stream = counted(content.stream, (moved) => onEvent?.({ type: 'bytes', name, bytes: moved }));
      await target.put(ref, streamSource(stream, name, bytes), { signal });
    }
    settle(tally, bytes, skipped);
    onEvent?.({ type: 'object-done', name, bytes, skipped });
  } catch (error) {
    onEvent?.({ type: 'object-failed', name, error: asKlosetError(error) });
    throw error;
  }
}

function settle(tally: Tally, bytes: number, skipped: boolean): void {
  tally.objects++;
  if (skipped) tally.skipped++;
  else tally.bytes += bytes;
}

/** Runs a job per item, some at once; the first failure cancels the others and is thrown. */
export async function runAll<T>(
  items: readonly T[],
  options: TransferOptions,
  job: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  throwIfAborted(options.signal);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
  const queue = new PQueue({ concurrency });
  let failure: unknown;
  for (const item of items) {
    if (signal.aborted) break;
    // Queue no more than can run: a store may hold a hundred thousand objects.
    await queue.onSizeLessThan(1);
    queue
      .add(() => (signal.aborted ? undefined : job(item, signal)))
      .catch((error) => {
        failure ??= error;
        stop.abort(new KlosetError('CANCELLED', 'stopped, because another object failed'));
      });
  }
  await queue.onIdle();
  if (failure !== undefined) throw options.signal?.aborted ? asKlosetError(options.signal.reason) : failure;
  throwIfAborted(options.signal);
}

async function checkSameStore(
  store: OciStore | DirectoryStore,
  config: Uint8Array,
  place: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const present = await store.open(signal ? { signal } : {}).catch((error) => {
    if (isKlosetError(error, 'STORE_MISSING')) return undefined;
    throw error;
  });
  if (present && !Buffer.from(present).equals(config)) {
    throw new KlosetError('STORE_EXISTS', 'another store is there already; nothing was changed', {
      object: place,
      remedy: 'Choose another place: two stores cannot be mixed.',
    });
  }
}

async function* counted(
  stream: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of stream) {
    onBytes(chunk.length);
    yield chunk;
  }
}
