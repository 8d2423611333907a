import type { ByteSource } from '../engine/source.ts';
import type { UploadedBlob } from '../engine/uploadAttempt.ts';
import type { ObjectManifest } from './manifest.ts';
import { isStoredSource, sameBlobs, sumBytes } from './storedSource.ts';

/**
 * Length of an object in bytes when it holds just what the source holds. Where the source does not know its digests,
 * it is read for them; a difference in length spares that.
 *
 * @param digest the blobs that storing the source would make
 */
export async function sameContent(
  manifest: ObjectManifest,
  source: ByteSource,
  digest: (source: ByteSource) => Promise<readonly UploadedBlob[]>,
): Promise<number | undefined> {
  if (isStoredSource(source) && sameBlobs(source.blobs, manifest.layers)) return source.sizeBytes;
  if (manifest.ours && source.sizeBytes !== sumBytes(manifest.layers)) return undefined;
  const local = await digest(source);
  return sameBlobs(local, manifest.layers) ? sumBytes(local) : undefined;
}
