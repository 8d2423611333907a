import type { RequestKind } from './transport.ts';

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

/** What one well-known registry is known to do. Facts only: what follows from them is decided elsewhere. */
export interface ProviderProfile {
  /** As in `profile=NAME` and in `docs/providers/NAME.md`. */
  readonly name: string;
  /** As people call it. */
  readonly title: string;
  /** Matches `HOST[:PORT]`; none where a host name tells nothing. */
  readonly hosts: readonly RegExp[];
  readonly upload: {
    /** The form that is known to work; `auto` where the engine should find out. */
    readonly mode?: Sourced<UploadMode>;
    readonly chunkMinBytes?: Sourced<number>;
    readonly chunkMaxBytes?: Sourced<number>;
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
}

/** What is assumed of a registry that nobody knows. */
export const GENERIC: ProviderProfile = {
  name: 'generic',
  title: 'Any other registry',
  hosts: [],
  upload: {},
  deletion: { reclaims: { value: 'The operator decides when space is freed.', source: 'none' } },
  tags: {},
  rates: [],
};
