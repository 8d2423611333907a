import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { throwIfAborted } from '../errors.ts';
import { readBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import { HashedWriteError, type Hasher } from '../workers/hasher.ts';
import { LaneLostError, MAX_ATTEMPTS, workerFailed } from '../workers/hashPool.ts';
import type { SlabPool } from '../workers/slabs.ts';
import { onDisk } from './atomicFile.ts';
import { BlobFile } from './blobFile.ts';
import type { Layer } from './manifest.ts';
import { algorithmOf, checkDigest, checkedLength, DAMAGED_REMEDY } from './readLayers.ts';

/** Length from which an object is worth the hash threads, in bytes: a smaller one is hashed before they have started. */
const POURED_BYTES = 1024 * 1024;

/** What pouring takes from the engine. */
export interface PourTools {
  readonly exchange: Exchange;
  readonly hasher: Hasher;
  readonly windows: SlabPool;
}

/** Where an object goes, and what is told meanwhile. */
export interface PourOptions {
  readonly file: FileHandle;
  /** For messages. */
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
  readonly onMoved?: ((bytes: number) => void) | undefined;
}

/** Whether the hash threads can check all layers of an object. */
export function isPourable(layers: readonly Layer[]): boolean {
  const bytes = layers.reduce((sum, layer) => sum + layer.bytes, 0);
  return bytes >= POURED_BYTES && layers.every((layer) => algorithmOf(layer) === 'sha256');
}

/**
 * Writes the payload of an object into a file. Each layer is checked against its digest; where one is wrong, what was
 * written is of no use.
 *
 * @returns the bytes written
 * @throws KlosetError BLOB_CORRUPT, SIZE_MISMATCH, WORKER_FAILED, DISK_FULL, FILE_WRITE_FAILED, and those of the registry
 */
export async function pourObject(
  tools: PourTools,
  layers: readonly Layer[],
  options: PourOptions,
): Promise<number> {
  let offset = 0;
  for (const layer of layers) {
    throwIfAborted(options.signal);
    const { data } = layer;
    if (data) await writeInline(layer, data, offset, options);
    else await pourAgain(tools, layer, offset, options);
    offset += layer.bytes;
  }
  return offset;
}

async function writeInline(
  layer: Layer,
  data: Uint8Array,
  offset: number,
  options: PourOptions,
): Promise<void> {
  checkDigest(layer, createHash('sha256').update(data).digest('hex'), DAMAGED_REMEDY);
  await onDisk(options.path, async () => {
    for (let at = 0; at < data.length; )
      at += (await options.file.write(data, at, data.length - at, offset + at)).bytesWritten;
  });
  options.onMoved?.(data.length);
}

/** A hash thread that dies takes the state with it: the layer comes once more. */
async function pourAgain(
  tools: PourTools,
  layer: Layer,
  offset: number,
  options: PourOptions,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await pourLayer(tools, layer, offset, options);
      return;
    } catch (error) {
      if (error instanceof HashedWriteError) await onDisk(options.path, () => Promise.reject(error));
      if (!(error instanceof LaneLostError)) throw error;
      if (attempt < MAX_ATTEMPTS) continue;
      throw workerFailed(attempt, error);
    }
  }
}

async function pourLayer(
  { exchange, hasher, windows }: PourTools,
  layer: Layer,
  offset: number,
  { file, signal, onMoved }: PourOptions,
): Promise<void> {
  const lane = await hasher.lane(true);
  const blob = new BlobFile(layer.bytes, windows, lane, { fd: file.fd, offset }, signal);
  try {
    const bytes = readBlob(exchange, layer.digest, { offset: 0 }, signal, blob.place);
    for await (const chunk of checkedLength(bytes, layer, layer.bytes, DAMAGED_REMEDY)) {
      await blob.take(chunk);
      onMoved?.(chunk.length);
    }
    const digest = await blob.finish();
    checkDigest(layer, digest.slice('sha256:'.length), DAMAGED_REMEDY);
  } finally {
    await blob.close();
  }
}
