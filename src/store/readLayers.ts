import { createHash } from 'node:crypto';
import { isKlosetError, KlosetError } from '../errors.ts';
import { readBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import type { PlaceBytes } from '../registry/transport.ts';
import type { Layer } from './manifest.ts';
import type { ByteRange } from './objectStore.ts';

/** What to do about an object whose copy in the registry is no good. */
export const DAMAGED_REMEDY =
  'The copy in the registry is damaged. If another copy of the store has the object, delete it here with "kloset-oci rm" and push it from there.';

/**
 * Length up to which a layer is held back until its digest is known to be right, in bytes: states and locks, and small
 * packfiles whole. A host acts on what it gets; a longer one it gets while it arrives, and an error in place of the end.
 */
export const HELD_BYTES = 4 * 1024 * 1024;

/**
 * Reads a blob: from end to end without a length, so that one that is too long shows, else just a part. What it yields
 * does not change afterwards.
 */
export type ReadBlob = (
  digest: string,
  range: { readonly offset: number; readonly length?: number },
  place?: PlaceBytes,
) => AsyncIterable<Uint8Array>;

/**
 * The payload of an object in a registry.
 *
 * @param place memory for it, by the distance from its first byte
 * @throws KlosetError BLOB_CORRUPT, SIZE_MISMATCH, and those of the registry
 */
export function readLayers(
  exchange: Exchange,
  layers: readonly Layer[],
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
  place?: PlaceBytes,
): AsyncGenerator<Uint8Array, void, void> {
  const read: ReadBlob = (digest, part, to) => readBlob(exchange, digest, part, signal, to);
  return readInRow(read, layers, range, DAMAGED_REMEDY, place);
}

/**
 * The payload of an object, which is its layers in a row, whole or in part. A layer that is read from end to end is
 * checked against its digest; where that is wrong, a short one is fetched again once.
 *
 * @param remedy what to do about a blob that is damaged
 * @param place memory for the payload, by the distance from its first byte
 * @throws KlosetError BLOB_CORRUPT, SIZE_MISMATCH, and what reading a blob throws
 */
export async function* readInRow(
  read: ReadBlob,
  layers: readonly Layer[],
  range: ByteRange | undefined,
  remedy: string,
  place?: PlaceBytes,
): AsyncGenerator<Uint8Array, void, void> {
  const end = range ? range.offset + range.length : Number.POSITIVE_INFINITY;
  let start = 0;
  for (const layer of layers) {
    const from = Math.max(0, (range?.offset ?? 0) - start);
    const to = Math.min(layer.bytes, end - start);
    start += layer.bytes;
    if (from >= to && layer.bytes > 0) continue;
    const whole = from === 0 && to === layer.bytes;
    const before = start - layer.bytes + from - (range?.offset ?? 0);
    const placed = place && ((at: number) => place(before + at));
    const readPlaced: ReadBlob = (digest, part) => read(digest, part, placed);
    if (layer.data) {
      checkDigest(layer, createHash(algorithmOf(layer)).update(layer.data).digest('hex'), remedy);
      yield layer.data.subarray(from, to);
      continue;
    }
    if (!whole) {
      yield* checkedLength(
        readPlaced(layer.digest, { offset: from, length: to - from }),
        layer,
        to - from,
        remedy,
      );
    } else if (layer.bytes <= HELD_BYTES) {
      yield* await readHeld(readPlaced, layer, remedy);
    } else {
      yield* verified(readPlaced, layer, remedy);
    }
  }
}

/**
 * A layer that is held back until it is known to be right. A copy that is not is fetched again once: proxies and
 * caches damage bytes on the way, and what was not handed out yet can still be replaced.
 */
async function readHeld(read: ReadBlob, layer: Layer, remedy: string): Promise<readonly Uint8Array[]> {
  return againOnce(async () => {
    const held: Uint8Array[] = [];
    for await (const chunk of verified(read, layer, remedy)) held.push(chunk);
    return held;
  });
}

const FETCHED_TWICE = 'fetched twice';

/** Does once more what has failed for damaged bytes. The error of the second time says that there was a first one. */
export async function againOnce<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDamage(error) || error.details.tried === FETCHED_TWICE) throw error;
    return work().catch((second) => {
      throw isDamage(second) ? second.with({ tried: FETCHED_TWICE }) : second;
    });
  }
}

function isDamage(error: unknown): error is KlosetError {
  return isKlosetError(error, 'BLOB_CORRUPT') || isKlosetError(error, 'SIZE_MISMATCH');
}

/** A whole layer, checked while it streams: its last piece is handed over only when the digest is right. */
async function* verified(
  read: ReadBlob,
  layer: Layer,
  remedy: string,
): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash(algorithmOf(layer));
  let last: Uint8Array | undefined;
  for await (const chunk of checkedLength(read(layer.digest, { offset: 0 }), layer, layer.bytes, remedy)) {
    if (last) yield last;
    hash.update(chunk);
    last = chunk;
  }
  checkDigest(layer, hash.digest('hex'), remedy);
  if (last) yield last;
}

/** Bytes of a layer, of which there have to be so many. */
export async function* checkedLength(
  stream: AsyncIterable<Uint8Array>,
  layer: Layer,
  expected: number,
  remedy: string,
): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > expected) break;
    yield chunk;
  }
  if (bytes === expected) return;
  throw new KlosetError(
    'SIZE_MISMATCH',
    `blob ${layer.digest} does not have the ${layer.bytes} bytes of its manifest`,
    { remedy },
  );
}

/** The hash function of a layer's digest. */
export function algorithmOf(layer: Layer): string {
  return layer.digest.slice(0, layer.digest.indexOf(':'));
}

/** @throws KlosetError BLOB_CORRUPT */
export function checkDigest(layer: Layer, hex: string, remedy: string): void {
  const found = `${algorithmOf(layer)}:${hex}`;
  if (found === layer.digest) return;
  throw new KlosetError('BLOB_CORRUPT', `expected digest ${layer.digest}, the bytes have ${found}`, {
    remedy,
  });
}
