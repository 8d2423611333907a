import { createHash } from 'node:crypto';
import { KlosetError } from '../errors.ts';
import { readBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import type { Layer } from './manifest.ts';
import type { ByteRange } from './objectStore.ts';

/** What to do about an object whose copy in the registry is no good. */
export const DAMAGED_REMEDY =
  'The copy in the registry is damaged. If another copy of the store has the object, delete it here with "kloset-oci rm" and push it from there.';

/** Reads a blob: from end to end without a length, so that one that is too long shows, else just a part. */
export type ReadBlob = (
  digest: string,
  range: { readonly offset: number; readonly length?: number },
) => AsyncIterable<Uint8Array>;

/**
 * The payload of an object in a registry.
 *
 * @throws KlosetError BLOB_CORRUPT, SIZE_MISMATCH, and those of the registry
 */
export function readLayers(
  exchange: Exchange,
  layers: readonly Layer[],
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  return readInRow((digest, part) => readBlob(exchange, digest, part, signal), layers, range, DAMAGED_REMEDY);
}

/**
 * The payload of an object, which is its layers in a row, whole or in part. A layer that is read from end to end is
 * checked against its digest while it streams.
 *
 * @param remedy what to do about a blob that is damaged
 * @throws KlosetError BLOB_CORRUPT, SIZE_MISMATCH, and what reading a blob throws
 */
export async function* readInRow(
  read: ReadBlob,
  layers: readonly Layer[],
  range: ByteRange | undefined,
  remedy: string,
): AsyncGenerator<Uint8Array, void, void> {
  const end = range ? range.offset + range.length : Number.POSITIVE_INFINITY;
  let start = 0;
  for (const layer of layers) {
    const from = Math.max(0, (range?.offset ?? 0) - start);
    const to = Math.min(layer.bytes, end - start);
    start += layer.bytes;
    if (from >= to && layer.bytes > 0) continue;
    const whole = from === 0 && to === layer.bytes;
    if (layer.data) {
      checkDigest(layer, createHash(algorithmOf(layer)).update(layer.data).digest('hex'), remedy);
      yield layer.data.subarray(from, to);
      continue;
    }
    const hash = whole ? createHash(algorithmOf(layer)) : undefined;
    let bytes = 0;
    for await (const chunk of read(
      layer.digest,
      whole ? { offset: 0 } : { offset: from, length: to - from },
    )) {
      hash?.update(chunk);
      bytes += chunk.length;
      if (bytes > to - from) break;
      yield chunk;
    }
    if (bytes !== to - from) {
      throw new KlosetError(
        'SIZE_MISMATCH',
        `blob ${layer.digest} does not have the ${layer.bytes} bytes of its manifest`,
        { remedy },
      );
    }
    if (hash) checkDigest(layer, hash.digest('hex'), remedy);
  }
}

function algorithmOf(layer: Layer): string {
  return layer.digest.slice(0, layer.digest.indexOf(':'));
}

function checkDigest(layer: Layer, hex: string, remedy: string): void {
  const found = `${algorithmOf(layer)}:${hex}`;
  if (found === layer.digest) return;
  throw new KlosetError('BLOB_CORRUPT', `expected digest ${layer.digest}, the bytes have ${found}`, {
    remedy,
  });
}
