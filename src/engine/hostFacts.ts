/**
 * What is known of a registry before the first request, or was learned from its answers: plain facts, whoever they come
 * from. Lengths are in bytes; what is not known is absent.
 */
export interface HostFacts {
  /** False: a blob may not be cut into several PATCH requests, whatever their length. */
  readonly takesChunks?: boolean | undefined;
  /** One body is the form to prefer, also for blobs that would be cheaper to send in chunks. */
  readonly prefersWhole?: boolean | undefined;
  readonly chunkMinBytes?: number | undefined;
  readonly chunkMaxBytes?: number | undefined;
  /** Chunks are best a multiple of this. */
  readonly chunkStepBytes?: number | undefined;
  /** The chunk size that has worked. */
  readonly chunkBytes?: number | undefined;
  /** The longest body that is worth trying. */
  readonly bodyMaxBytes?: number | undefined;
  readonly blobMaxBytes?: number | undefined;
  /** The closing PUT has to carry the last chunk. */
  readonly commitWithLastChunk?: boolean | undefined;
  /** `POST ?digest=` with a body stores the blob. */
  readonly singlePost?: boolean | undefined;
  /** A manifest with `artifactType` is refused. */
  readonly artifactTypeRefused?: boolean | undefined;
  readonly tagDelete?: boolean | undefined;
  readonly digestDelete?: boolean | undefined;
  /** False: a digest can be deleted only once no tag names it. */
  readonly digestWhileTagged?: boolean | undefined;
  /** False: a tag cannot be moved to other content. */
  readonly tagsMutable?: boolean | undefined;
}

type Kind = 'boolean' | 'bytes';

/** The facts by name, for whoever reads them from a file. */
export const FACT_KINDS: Readonly<Record<keyof HostFacts, Kind>> = {
  takesChunks: 'boolean',
  prefersWhole: 'boolean',
  chunkMinBytes: 'bytes',
  chunkMaxBytes: 'bytes',
  chunkStepBytes: 'bytes',
  chunkBytes: 'bytes',
  bodyMaxBytes: 'bytes',
  blobMaxBytes: 'bytes',
  commitWithLastChunk: 'boolean',
  singlePost: 'boolean',
  artifactTypeRefused: 'boolean',
  tagDelete: 'boolean',
  digestDelete: 'boolean',
  digestWhileTagged: 'boolean',
  tagsMutable: 'boolean',
};
