import { DEFAULT_CONCURRENCY, SMALL_CONCURRENCY } from '../engine/coordinator.ts';
import type { TransferEvent } from '../engine/events.ts';
import { SMALL_BYTES } from '../engine/payloads.ts';
import type { ByteSource } from '../engine/source.ts';
import { asKlosetError, isKlosetError, KlosetError } from '../errors.ts';
import type { DirectoryStore } from './directoryStore.ts';
import { describeRef, type ObjectType } from './objectNames.ts';
import type { ObjectStore, PutResult } from './objectStore.ts';
import { OciStore } from './ociStore.ts';
import { againOnce } from './readLayers.ts';
import { runAll } from './runAll.ts';
import { type DigestStore, isStoredSource } from './storedSource.ts';
import { sourceOf, type TransferItem, type TransferSource } from './transferSource.ts';

/** What a transfer takes. */
export interface TransferOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TransferEvent) => void) | undefined;
  /** Objects under way at once. @default 16, or 64 where all are of up to 1 MiB and go to a registry */
  readonly concurrency?: number | undefined;
}

/** What a transfer has done. */
export interface TransferResult {
  /** Objects that are now at the target, the skipped ones included. */
  readonly objects: number;
  /** Objects that were there already. */
  readonly skipped: number;
  /** Objects that the registry took over from another repository of its own. */
  readonly mounted: number;
  /** Bytes that were moved. */
  readonly bytes: number;
  /** Bytes, beside those, that an interrupted run before this one had moved of objects that were continued. */
  readonly resumedBytes: number;
}

/**
 * Digest of a source, where it is worth knowing before it is known what has to be sent; `always` where it is to name
 * the object.
 */
type DigestOf = (source: ByteSource, always: boolean, signal: AbortSignal) => Promise<string | undefined>;

// States name packfiles, so that they come after them; the configuration makes a store of it all and comes last.
const WAVES: readonly (readonly ObjectType[])[] = [
  ['packfile', 'ecc-packfile'],
  ['state', 'ecc-state'],
  ['lock'],
];

/**
 * Pushes what a plan holds. The first failure stops it: nothing new is started, what is under way is cancelled, and
 * no state becomes visible before every packfile is there.
 */
export function pushAll(
  plan: TransferSource,
  target: OciStore,
  options: TransferOptions = {},
): Promise<TransferResult> {
  return transfer(plan, target, options, digestFor(target));
}

/** Pulls a store into a directory. Whole objects that are there are kept; the configuration comes last. */
export function pullAll(
  source: OciStore,
  target: DirectoryStore,
  options: TransferOptions = {},
): Promise<TransferResult> {
  return copyAll(source, target, options);
}

/**
 * Copies a store, without its locks. What is at the target with the same content is skipped, so that a copy that was
 * interrupted goes on where it ended.
 *
 * @throws KlosetError STORE_MISSING, STORE_EXISTS (the target holds another store)
 */
export async function copyAll(
  source: DirectoryStore | DigestStore,
  target: ObjectStore,
  options: TransferOptions = {},
): Promise<TransferResult> {
  return transfer(await sourceOf(source, options.signal), target, options, digestFor(target));
}

function digestFor(target: ObjectStore): DigestOf {
  return async (source, always, signal) => {
    if (isStoredSource(source)) return source.blobs.length === 1 ? source.blobs[0]?.digest : undefined;
    return target instanceof OciStore ? target.contentDigest(source, always, signal) : undefined;
  };
}

async function transfer(
  source: TransferSource,
  target: ObjectStore,
  options: TransferOptions,
  digestOf: DigestOf,
): Promise<TransferResult> {
  const { signal, onEvent } = options;
  const { config, items } = source;
  // Files are hashed while the registry is being asked what it has; nothing is sent before it has answered.
  const prepared = prepare(target, config, signal);
  prepared.catch(() => {});
  onEvent?.({
    type: 'total',
    objects: items.length,
    bytes: items.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
  });
  const tally = { objects: 0, skipped: 0, mounted: 0, bytes: 0, resumedBytes: 0 };
  for (const types of WAVES) {
    const wave = items.filter(({ type }) => types.includes(type));
    const small =
      target instanceof OciStore && wave.every(({ bytes = SMALL_BYTES + 1 }) => bytes <= SMALL_BYTES);
    const concurrency = options.concurrency ?? (small ? SMALL_CONCURRENCY : DEFAULT_CONCURRENCY);
    await runAll(wave, { signal, concurrency }, async (item, waveSignal) => {
      let resumedBytes = 0;
      const onMove = (event: TransferEvent) => {
        if (event.type === 'object-resumed') resumedBytes += event.bytes;
        onEvent?.(event);
      };
      const moved = await moveOne(item, target, digestOf, prepared, waveSignal, onMove);
      const { bytes, skipped, mounted } = moved;
      tally.objects++;
      if (skipped) tally.skipped++;
      else if (mounted) tally.mounted++;
      else tally.bytes += Math.max(0, bytes - resumedBytes);
      tally.resumedBytes += resumedBytes;
    });
  }
  const present = await prepared;
  if (config && !present) await createUnlessSame(target, config, signal);
  return tally;
}

/**
 * Makes a target ready. Returns the configuration that it holds, where that matters.
 *
 * @throws KlosetError STORE_EXISTS where that is another store's
 */
async function prepare(
  target: ObjectStore,
  config: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const options = signal ? { signal } : {};
  if (target instanceof OciStore) {
    target.prepareUploads();
    await target.primeTags(options);
    if (!target.holdsConfig) return undefined;
  }
  if (!config) return undefined;
  const present = await target.open(options).catch((error) => {
    if (isKlosetError(error, 'STORE_MISSING')) return undefined;
    throw error;
  });
  if (present) refuseAnother(config, present, target);
  return present;
}

async function moveOne(
  item: TransferItem,
  target: ObjectStore,
  digestOf: DigestOf,
  prepared: Promise<unknown>,
  signal: AbortSignal,
  onEvent: TransferOptions['onEvent'],
): Promise<PutResult> {
  let name = item.mac ? describeRef({ type: item.type, mac: item.mac }) : item.type;
  try {
    const source = await item.open(signal);
    if (!item.mac) name = source.name;
    onEvent?.({ type: 'object-start', name, bytes: item.bytes ?? source.sizeBytes });
    const digest = await digestOf(source, item.mac === undefined, signal);
    await prepared;
    const mac = item.mac ?? digest?.slice('sha256:'.length) ?? '';
    const put = () =>
      target.put({ type: item.type, mac }, source, {
        signal,
        digest,
        onSent: (bytes) => onEvent?.({ type: 'bytes', name, bytes }),
        onRetry: (error, delayMs) => onEvent?.({ type: 'retry', name, reason: error.summary, delayMs }),
        onResumed: (bytes) => onEvent?.({ type: 'object-resumed', name, bytes }),
      });
    // Nothing of an object is visible before all of it has proved right: it can be fetched again.
    const result = await (isStoredSource(source) ? againOnce(put) : put());
    onEvent?.({ type: 'object-done', name, ...result });
    return result;
  } catch (error) {
    onEvent?.({ type: 'object-failed', name, error: asKlosetError(error) });
    throw error;
  }
}

/** Another program may have been faster, with the same store: then there is nothing left to do. */
async function createUnlessSame(
  target: ObjectStore,
  config: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = signal ? { signal } : {};
  try {
    await target.create(config, options);
  } catch (error) {
    if (!isKlosetError(error, 'STORE_EXISTS')) throw error;
    refuseAnother(config, await target.open(options), target);
  }
}

function refuseAnother(config: Uint8Array, present: Uint8Array, target: ObjectStore): void {
  if (Buffer.from(present).equals(config)) return;
  throw new KlosetError('STORE_EXISTS', 'another store is there already; nothing was changed', {
    object: target.location,
    remedy: 'Choose another place: two stores cannot be mixed.',
  });
}
