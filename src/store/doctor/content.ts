import { randomBytes } from 'node:crypto';
import { OCI_MANIFEST_TYPE } from '../../registry/manifests.ts';
import type { RequestBody } from '../../registry/transport.ts';
import { digestOf, EMPTY_CONFIG } from '../manifest.ts';
import type { OwnBlob } from './context.ts';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Content that no registry has seen before, so that none can answer from what it has. */
export function newBlob(bytes: number): OwnBlob {
  const content = new Uint8Array(bytes);
  // Random enough not to be compressed on the way, and made faster than all of it at random.
  const seed = randomBytes(Math.min(bytes, 64 * KIB));
  for (let at = 0; at < bytes; at += seed.length) content.set(seed.subarray(0, bytes - at), at);
  for (let at = 0; at < bytes; at += 4 * KIB) content.set(randomBytes(Math.min(32, bytes - at)), at);
  return { digest: digestOf(content), content };
}

export function bodyOf(content: Uint8Array): RequestBody {
  return { bytes: content.length, slices: () => [content] };
}

/**
 * The manifest of an examination, around one blob.
 *
 * @param number tells manifests of one examination apart
 * @param legacy the OCI 1.0 form
 */
export function doctorManifest(tag: string, blob: OwnBlob, number: number, legacy = false): Uint8Array {
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST_TYPE,
    ...(!legacy && { artifactType: 'application/vnd.kloset.doctor.v1' }),
    config: {
      mediaType: legacy ? 'application/vnd.oci.image.config.v1+json' : 'application/vnd.oci.empty.v1+json',
      digest: EMPTY_CONFIG.digest,
      size: EMPTY_CONFIG.content.length,
    },
    layers: [{ mediaType: 'application/octet-stream', digest: blob.digest, size: blob.content.length }],
    annotations: { 'org.kloset.doctor': `${tag} ${number}` },
  };
  return Buffer.from(JSON.stringify(manifest));
}
