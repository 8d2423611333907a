import type { Hasher } from '../workers/hasher.ts';
import type { Slab } from '../workers/slabs.ts';
import { bodyOf, type Chunk, type Payload } from './payload.ts';

/** A blob that is in memory as a whole: hashed in one task, sent from where it lies. */
export function residentPayload(slab: Slab, sizeBytes: number, hasher: Hasher): Payload {
  let digest: Promise<string> | undefined;
  const startHash = () => {
    digest ??= hasher.digest(slab.slices(sizeBytes));
    // The upload asks for the digest later; a failure must wait for it quietly.
    digest.catch(() => {});
    return digest;
  };
  startHash();
  return {
    sizeBytes,
    prefersWhole: true,
    replayable: true,
    load: async (offset, maxBytes): Promise<Chunk> => {
      const bytes = Math.min(maxBytes, sizeBytes - offset);
      const views = window(slab.views(sizeBytes), offset, bytes);
      return {
        offset,
        bytes,
        last: offset + bytes === sizeBytes,
        body: (skip) => bodyOf(views, skip),
        release: () => {},
      };
    },
    loadAhead: () => {},
    digest: startHash,
    whole: () => bodyOf(slab.views(sizeBytes)),
    verifyUnchanged: async () => {},
    dispose: async () => slab.release(),
  };
}

function window(views: readonly Uint8Array[], offset: number, bytes: number): Uint8Array[] {
  const result: Uint8Array[] = [];
  let at = 0;
  for (const view of views) {
    const from = Math.max(0, offset - at);
    const to = Math.min(view.length, offset + bytes - at);
    if (from < to) result.push(view.subarray(from, to));
    at += view.length;
  }
  return result;
}
