import type { HostFacts } from '../engine/hostFacts.ts';
import type { ProviderProfile, Sourced } from '../registry/profiles.ts';

/** What a profile says to the engine, which knows no providers. */
export function factsOf(profile: ProviderProfile): HostFacts {
  const { upload, deletion, tags } = profile;
  const facts = {
    takesChunks: of(upload.chunks),
    prefersWhole: upload.mode?.value === 'monolithic' ? true : undefined,
    chunkMinBytes: of(upload.chunkMinBytes),
    chunkMaxBytes: of(upload.chunkMaxBytes),
    chunkStepBytes: of(upload.chunkStepBytes),
    bodyMaxBytes: of(upload.bodyMaxBytes),
    blobMaxBytes: of(upload.blobMaxBytes),
    commitWithLastChunk: of(upload.commitWithLastChunk),
    singlePost: of(upload.singlePost),
    tagDelete: of(deletion.byTag),
    digestDelete: of(deletion.byDigest),
    digestWhileTagged: of(deletion.whileTagged),
    tagsMutable: tags.immutability?.value === 'never' ? true : undefined,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

function of<T>(fact: Sourced<T> | undefined): T | undefined {
  return fact?.value;
}
