import type { RequestKind } from '../transport.ts';

/** How blobs are uploaded: `auto` finds out per host what works. */
export type UploadMode = 'auto' | 'chunked' | 'monolithic';

/** A number or a fact about a registry, with the place where it can be looked up. */
export interface Sourced<T> {
  readonly value: T;
  /** Where it is documented or was observed, with a date. */
  readonly source: string;
}

/** A documented cap on requests. */
export interface RateCap {
  readonly kinds: readonly RequestKind[];
  readonly perSecond: number;
  /** Requests that may come at once after a pause. */
  readonly burst: number;
}

/** A header of an answer that gives a registry away, whatever host it runs on. */
interface AnswerMark {
  /** Lower-case name. */
  readonly header: string;
  readonly value: RegExp;
}

/** What one well-known registry is known to do. Facts only: what follows from them is decided elsewhere. */
export interface ProviderProfile {
  /** As in `profile=NAME` and in `docs/providers/NAME.md`. */
  readonly name: string;
  /** As people call it. */
  readonly title: string;
  /** Matches `HOST[:PORT]`; none where a host name tells nothing. */
  readonly hosts: readonly RegExp[];
  /** Any of them in an answer tells the registry; none where its answers look like those of others. */
  readonly marks: readonly AnswerMark[];
  readonly upload: {
    /** The form that is known to work; `auto` where the engine should find out. */
    readonly mode?: Sourced<UploadMode>;
    /** False where a blob may not be cut into several PATCH requests, whatever their length. */
    readonly chunks?: Sourced<boolean>;
    readonly chunkMinBytes?: Sourced<number>;
    readonly chunkMaxBytes?: Sourced<number>;
    /** Chunks are best a multiple of this, which is the part size of the storage behind. */
    readonly chunkStepBytes?: Sourced<number>;
    /** The longest body of a request that carries a whole blob. */
    readonly bodyMaxBytes?: Sourced<number>;
    readonly blobMaxBytes?: Sourced<number>;
    /** The closing PUT has to carry the last chunk. */
    readonly commitWithLastChunk?: Sourced<boolean>;
    /** `POST ?digest=` with a body stores the blob. */
    readonly singlePost?: Sourced<boolean>;
  };
  readonly deletion: {
    readonly byTag?: Sourced<boolean>;
    readonly byDigest?: Sourced<boolean>;
    /** False: by digest only once no tag names it. */
    readonly whileTagged?: Sourced<boolean>;
    readonly blobs?: Sourced<boolean>;
    /** What happens to the bytes of what was deleted, and when, in words. */
    readonly reclaims: Sourced<string>;
  };
  readonly tags: {
    /** Whether tags can be made immutable there. */
    readonly immutability?: Sourced<'never' | 'configurable'>;
    /** The page size to ask for. */
    readonly pageSize?: Sourced<number>;
  };
  readonly rates: readonly Sourced<RateCap>[];
  /** Other limits and habits that a user may meet, each a sentence. */
  readonly remarks: readonly Sourced<string>[];
}

export const MIB = 1024 * 1024;
export const GIB = 1024 * MIB;
