import { isKlosetError, KlosetError } from '../errors.ts';
import type { Exchange } from '../registry/exchange.ts';
import { deleteManifest, getManifest, putManifest } from '../registry/manifests.ts';
import { buildManifest, parseManifest } from './manifest.ts';
import { type ObjectRef, tagOf } from './objectNames.ts';

/** What a registry was found to allow. */
export interface DeletionMemory {
  /** False once a deletion by tag was refused. */
  tagDelete: boolean;
}

/**
 * Deletes the object under a tag: by tag where the registry can, else by the digest of its manifest. An object that
 * is gone already is deleted.
 *
 * @throws KlosetError DELETE_UNSUPPORTED
 */
export async function deleteTag(
  exchange: Exchange,
  ref: ObjectRef,
  memory: DeletionMemory,
  signal?: AbortSignal,
): Promise<void> {
  const tag = tagOf(ref);
  if (memory.tagDelete) {
    const done = await attempt(exchange, tag, signal);
    if (done) return;
    memory.tagDelete = false;
  }
  const stored = await getManifest(exchange, tag, signal);
  if (!stored) return;
  let digest = stored.digest;
  const manifest = parseManifest(stored.bytes, ref);
  if (!manifest.ours || digest === undefined) {
    // Deleting by digest takes every tag of that digest along, and the Go connector's manifests are equal where
    // payloads are. A manifest with our annotations is this object's own: move the tag to one first.
    await putManifest(exchange, tag, buildManifest(ref, manifest.layers, true), signal);
    digest = (await getManifest(exchange, tag, signal))?.digest;
  }
  if (digest !== undefined && (await attempt(exchange, digest, signal))) return;
  throw new KlosetError('DELETE_UNSUPPORTED', 'the registry allows deletion neither by tag nor by digest', {
    remedy: 'Enable deletion in the registry (for registry:2: REGISTRY_STORAGE_DELETE_ENABLED=true).',
  });
}

/** False when the registry cannot do it this way. */
async function attempt(exchange: Exchange, reference: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await deleteManifest(exchange, reference, signal);
    return true;
  } catch (error) {
    const status = isKlosetError(error) ? error.details.status : undefined;
    // 405 on most; Harbor says 400 UNSUPPORTED, distribution 2 DIGEST_INVALID to a tag.
    if (status === 405 || status === 400 || status === 501) return false;
    throw error;
  }
}
