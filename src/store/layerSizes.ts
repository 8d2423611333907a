import { KlosetError } from '../errors.ts';
import { headBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import type { Layer, ObjectManifest } from './manifest.ts';
import { DAMAGED_REMEDY } from './readLayers.ts';

/** Length of a payload, in bytes. */
export function sumBytes(layers: readonly { readonly bytes: number }[]): number {
  return layers.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * The layers to read, with sizes to rely on: the Go connector writes sizes that it was not told; the registry knows.
 *
 * @throws KlosetError BLOB_MISSING
 */
export async function trueSizes(
  exchange: Exchange,
  manifest: ObjectManifest,
  signal: AbortSignal | undefined,
): Promise<readonly Layer[]> {
  if (manifest.ours) return manifest.layers;
  // Its reader knows the first layer only, and so does its writer.
  const layers: Layer[] = [];
  for (const { digest } of manifest.layers.slice(0, 1)) {
    layers.push({ digest, bytes: await blobSize(exchange, digest, signal) });
  }
  return layers;
}

/**
 * Checks that every blob is there, in the size that our manifest gives it.
 *
 * @throws KlosetError BLOB_MISSING, SIZE_MISMATCH
 */
export async function checkSizes(
  exchange: Exchange,
  manifest: ObjectManifest,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const layer of manifest.layers) {
    const bytes = await blobSize(exchange, layer.digest, signal);
    if (!manifest.ours || bytes === layer.bytes) continue;
    const summary = `blob ${layer.digest} has ${bytes} bytes, the manifest says ${layer.bytes}`;
    throw new KlosetError('SIZE_MISMATCH', summary, { remedy: DAMAGED_REMEDY });
  }
}

async function blobSize(
  exchange: Exchange,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const bytes = await headBlob(exchange, digest, signal);
  if (bytes !== undefined) return bytes;
  throw new KlosetError('BLOB_MISSING', `blob ${digest} is missing`, { remedy: DAMAGED_REMEDY });
}
