import type { AnswerHeaders } from '../answers.ts';
import type { RateCap } from './rateLimits.ts';

/** An answer that refuses something. */
export interface Refusal {
  readonly status: number;
  /** Absent: an error without a code, as some registries write it. */
  readonly code?: string;
  /** May hold `{names}` that the rule fills in. */
  readonly message: string;
  /** Default `json`, the form of the specification. `bare`: no body. `status`: JSON with the status for a code. */
  readonly form?: 'json' | 'text' | 'html' | 'bare' | 'status';
  readonly headers?: AnswerHeaders;
}

/**
 * How far one behaviour may be believed: `observed` on the program itself, which test/e2e/profilesAreTrue.test.ts runs,
 * `read` in the registry's source, `recorded` in a published trace,
 * `documented` by the vendor, `reported` by users or by what clients work around, `inferred` from the others.
 */
export type Trust = 'observed' | 'read' | 'recorded' | 'documented' | 'reported' | 'inferred';

/** Where a behaviour is known from. */
export interface Evidence {
  readonly what: string;
  readonly trust: Trust;
  /** A document, file or thread that can be looked up. */
  readonly source: string;
}

/**
 * How `Range` is spelt for a session of n bytes. `cumulative`: `0-<n-1>`, empty `0-0`. `honest`: the same, empty
 * `0--1`. `bytes`: `bytes=0-<n-1>`, empty `bytes=0--1`. `count`: `0-<n>`. `bytes-count`: `bytes=0-<n>`. `stuck`: the
 * end of the first chunk for ever. `request`: the length of the last request only. `stretch`: start and end of the
 * last request. `none`: no header.
 */
export type RangeSpelling =
  | 'cumulative'
  | 'honest'
  | 'bytes'
  | 'count'
  | 'bytes-count'
  | 'stuck'
  | 'request'
  | 'stretch'
  | 'none';

/**
 * The query of a session's Location. `sealed`: `_state`, which holds the offset and must be the newest one; `sealed-late`:
 * the same, but not asked for by GET; `hash`: `_stateHash`, another one after each chunk; `opaque`: changes,
 * and older ones stay good.
 */
export type SessionState = 'none' | 'sealed' | 'sealed-late' | 'hash' | 'opaque';

export interface UploadProfile {
  /** `strict`: stored, but only as octets (415) and with a Content-Length (400). */
  readonly singlePost: 'stored' | 'ignored' | 'strict';
  readonly mount?: { readonly withoutFrom?: Refusal; readonly withoutDigest?: Refusal };
  readonly location: 'relative' | 'absolute' | 'http';
  readonly state: SessionState;
  /** Answers about a session that is not there; `GET` when it differs. */
  readonly unknown: Refusal;
  readonly unknownStatus?: Refusal;
  /** A state that is not the newest. */
  readonly stale?: Refusal;
  /** A state that is missing or was not written here; default: as a stale one. */
  readonly forged?: Refusal;
  readonly range: {
    readonly opened: RangeSpelling;
    readonly chunk: RangeSpelling;
    readonly status: RangeSpelling;
    /** On a 416; `none` leaves the Location out, too. */
    readonly refused: RangeSpelling;
  };
  /** What GET says of an open session. */
  readonly status: 'told' | 'without-location' | 'not-found';
  readonly chunkStatus: 201 | 202;
  /**
   * What a chunk's `Content-Range` decides. `checked`: it has to start where the session ends. `ignored`: all bytes are
   * appended. `overlapping`: bytes that are there already are passed over, except from 0. `equal`: as `checked`, with
   * chunks of one length, a shorter last one, and none of one byte. `single`: a session takes one chunk.
   */
  readonly chunks: 'checked' | 'ignored' | 'overlapping' | 'equal' | 'single';
  readonly misplaced: Refusal;
  /** A misplaced chunk after the first one, where it is answered otherwise. */
  readonly misplacedAgain?: Refusal;
  readonly malformedRange: Refusal;
  /** `Content-Range` unlike `Content-Length`. */
  readonly wrongLength?: Refusal;
  /** `Content-Range` counts only beside a `Content-Length`. */
  readonly rangeNeedsLength?: boolean;
  readonly chunkedRange?: Refusal;
  readonly contentType?: Refusal;
  readonly secondChunk?: Refusal;
  readonly chunkHeaders?: { readonly minBytes: number; readonly maxBytes: number };
  /** The longest body that may carry a `Content-Range`. */
  readonly rangedBody?: { readonly maxBytes: number; readonly refusal: Refusal };
  /** The shortest chunk that is not the last one; judged when the upload is closed. */
  readonly smallChunk?: { readonly minBytes: number; readonly refusal: Refusal };
  readonly last: {
    /** `lost`: the body of a closing PUT is dropped once there were chunks. `declared`: read if its length is. */
    readonly body: 'appended' | 'lost' | 'declared';
    readonly range: 'checked' | 'ignored';
    /** A whole blob in one PUT that carries a `Content-Range`. */
    readonly rangedWhole?: Refusal;
    readonly maxBytes?: { readonly bytes: number; readonly refusal: Refusal };
    /** A closing PUT without a body, after chunks. */
    readonly empty?: Refusal;
  };
  readonly emptyBlob?: Refusal;
  /** A blob whose digest is another; default: 400 `DIGEST_INVALID`. */
  readonly wrongDigest?: Refusal;
  readonly endsWhenCut?: boolean;
}

export interface BlobProfile {
  /** Bytes come from here, or from a storage host by way of a signed URL. */
  readonly bytes: 'direct' | 302 | 307;
  /** Whether this server, not the storage host, honours `Range`. */
  readonly ranges: boolean;
  readonly delete?: Refusal;
  /** Deletion of a blob that a manifest names. */
  readonly deleteReferenced?: Refusal;
  /** HEAD of a blob that garbage collection is at. */
  readonly collected?: Refusal;
}

export interface ManifestProfile {
  readonly tellsLocation: boolean;
  readonly setsTagsByQuery?: boolean;
  readonly tooLarge: Refusal;
  readonly missingBlob: Refusal;
  readonly layers?: {
    readonly min?: Refusal;
    readonly max?: { readonly count: number; readonly refusal: Refusal };
  };
  readonly artifactType?: Refusal;
  /** A tag that exists cannot be set again; `always` also refuses the same content. */
  readonly immutable?: { readonly put: Refusal; readonly always: boolean; readonly remove?: Refusal };
  /** An OCI manifest is not found by who does not accept its type. */
  readonly accept?: Refusal;
  /** So many reads of a tag after its PUT still see what was there before. */
  readonly staleReads?: number;
  readonly remove: {
    readonly tag?: Refusal;
    readonly digest?: Refusal;
    readonly digestWhileTagged?: Refusal;
    readonly digestOfSeveralTags?: Refusal;
    /** Deletion of what an index names. */
    readonly referenced?: Refusal;
    readonly unknownRepository?: Refusal;
    readonly page?: { readonly tags: number; readonly refusal: Refusal };
  };
}

export interface TagListProfile {
  /** Tags in a page when `n` does not say; `all` for no paging by default. */
  readonly page: number | 'all';
  /** `n` and `last` are not read. */
  readonly unpaged?: boolean;
  readonly maxPage?: { readonly tags: number; readonly refusal?: Refusal };
  readonly order: 'sorted' | 'as-stored';
  readonly link: 'relative' | 'absolute' | 'unbracketed';
  /** `last` in a Link: the tag, or a token that only this registry can read. */
  readonly token?: boolean;
  readonly contentType?: string;
  /** How an empty list is written. */
  readonly empty: '[]' | 'null';
  /** A repository that was never pushed to; absent: an empty list. */
  readonly unknown?: Refusal;
  /** A repository whose manifests are all deleted; absent: an empty list. */
  readonly emptied?: Refusal;
  readonly badNumber?: Refusal;
  /** What happens when `last` was deleted meanwhile; default: the list goes on behind it. */
  readonly lastMissing?: Refusal | 'skips-one';
  readonly listsDigests?: boolean;
}

/** How credentials are asked for; the accounts come from whoever starts the registry. */
export interface AuthProfile {
  readonly scheme: 'basic' | 'bearer' | 'both';
  readonly service?: string;
  readonly tokenPath?: string;
  readonly tokenLifeMs?: number;
  readonly showsLife?: boolean;
  readonly field?: 'token' | 'access_token' | 'both';
  /** The status that refuses a POST to the token service; absent: OAuth2 is spoken. */
  readonly post?: 400 | 401 | 404 | 405;
  readonly scopes?: 'two-in-one' | 'metadata-read' | 'without-first-part';
}

/** One well-known registry: how it is, not how it fails. */
export interface EmulatorProfile {
  readonly name: string;
  readonly title: string;
  /** How this one differs from the profile it comes from. */
  readonly variantOf?: string;
  /** Repositories have to be made before the first push. */
  readonly repositoryMissing?: Refusal;
  readonly upload: UploadProfile;
  readonly blobs: BlobProfile;
  readonly manifests: ManifestProfile;
  readonly tags: TagListProfile;
  readonly referrers: boolean;
  readonly auth: AuthProfile;
  /** The longest body of any request. */
  readonly bodyLimit?: { readonly maxBytes: number; readonly refusal: Refusal };
  /** Headers on every answer. */
  readonly headers?: AnswerHeaders;
  readonly quota?: Refusal;
  readonly rates: readonly RateCap[];
  readonly evidence: readonly Evidence[];
}
