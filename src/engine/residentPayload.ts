import type { Hasher } from '../workers/hasher.ts';
import type { SharedSlice } from '../workers/slabs.ts';
import { bodyOf, type Chunk, type Payload } from './payload.ts';
import { sliceRange, viewsOf } from './sliceRange.ts';

/**
 * A blob that is in memory as a whole: hashed in one task, sent from where it lies.
 *
 * @param release called when the upload needs the memory no more
 * @param known the digest, where it is being computed already; `undefined` from it means that it was lost
 */
export function residentPayload(
  slices: readonly SharedSlice[],
  sizeBytes: number,
  hasher: Hasher,
  release: () => void,
  known?: Promise<string | undefined>,
): Payload {
  let digest: Promise<string> | undefined;
  const startHash = () => {
    digest ??= known?.then((value) => value ?? hasher.digest(slices)) ?? hasher.digest(slices);
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
      const views = viewsOf(sliceRange(slices, offset, bytes));
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
    whole: () => bodyOf(viewsOf(slices)),
    verifyUnchanged: async () => {},
    dispose: async () => release(),
  };
}
