import { KlosetError } from '../errors.ts';
import { headBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import type { Layer, ObjectManifest } from './manifest.ts';
import { againOnce, DAMAGED_REMEDY, readLayers } from './readLayers.ts';
import { missingBlob, type Resolver } from './resolver.ts';
import { sumBytes } from './storedSource.ts';

/**
 * Checks that the blobs of an object are there and have their lengths.
 *
 * @param deep also reads them and checks their digests
 * @returns the length of the object in bytes
 * @throws KlosetError BLOB_MISSING, SIZE_MISMATCH, BLOB_CORRUPT
 */
export async function verifyObject(
  exchange: Exchange,
  resolver: Resolver,
  manifest: ObjectManifest,
  deep: boolean,
  signal: AbortSignal | undefined,
): Promise<number> {
  for (const layer of manifest.layers) await checkSize(exchange, layer, manifest, signal);
  const layers = await resolver.trueLayers(manifest, signal);
  if (deep) {
    // The descriptor's copy says nothing about the blob.
    const blobs = layers.map(({ digest, bytes }) => ({ digest, bytes }));
    await againOnce(async () => {
      for await (const _ of readLayers(exchange, blobs, undefined, signal));
    });
  }
  return sumBytes(layers);
}

async function checkSize(
  exchange: Exchange,
  layer: Layer,
  manifest: ObjectManifest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = await headBlob(exchange, layer.digest, signal);
  if (bytes === undefined) throw missingBlob(layer.digest);
  if (!manifest.ours || bytes === layer.bytes) return;
  const summary = `blob ${layer.digest} has ${bytes} bytes, the manifest says ${layer.bytes}`;
  throw new KlosetError('SIZE_MISMATCH', summary, { remedy: DAMAGED_REMEDY });
}
