import type { ByteSource } from '../engine/source.ts';
import type { KlosetError } from '../errors.ts';
import type { PlaceBytes } from '../registry/transport.ts';
import type { MacList } from './macList.ts';
import type { ObjectRef, ObjectType } from './objectNames.ts';

/** What every operation takes. */
export interface OperationOptions {
  /** Cancels the operation at its next await; it then rejects with CANCELLED. */
  signal?: AbortSignal;
}

/** What a read takes. */
export interface GetOptions extends OperationOptions {
  range?: ByteRange;
  /**
   * The reader's memory, by the distance from the first byte that is asked for. A store that can reads straight into it;
   * a chunk that lies elsewhere is to be copied by the reader.
   */
  place?: PlaceBytes | undefined;
}

/** Size of one object. */
export interface ObjectStat {
  readonly ref: ObjectRef;
  readonly bytes: number;
}

/** What a put takes. */
export interface PutOptions extends OperationOptions, PutReport, KnownContent {}

/** Result of a put. */
export interface PutResult {
  readonly bytes: number;
  /** True when the object was there already with the same content, and nothing was sent. */
  readonly skipped: boolean;
  /** True when the registry took the bytes over from another repository of its own, and none were sent. */
  readonly mounted?: boolean;
}

/** What reports on a put while it runs. */
export interface KnownContent {
  /** Digest of the whole source as `sha256:<hex>`, where the caller has computed it already. */
  readonly digest?: string | undefined;
}

/** What reports on a put, beside its result. */
export interface PutReport {
  /** Bytes that went out since the last call. */
  readonly onSent?: ((bytes: number) => void) | undefined;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
  /** A blob is continued where an earlier run was interrupted, which had sent so many bytes of it. */
  readonly onResumed?: ((bytes: number) => void) | undefined;
}

/** Bytes of an object on their way out. */
export interface ObjectContent {
  /** Length of what `stream` yields, in bytes. */
  readonly bytes: number;
  /**
   * The bytes, once. A whole object is verified against its digest, where the store knows one: the iteration ends
   * with BLOB_CORRUPT instead of ending normally. A chunk is valid until the next one is asked for.
   */
  readonly stream: AsyncIterable<Uint8Array>;
  /** The same bytes where they are in memory already, to be used in place of `stream`. They never change. */
  readonly parts?: readonly Uint8Array[];
}

/** Part of an object, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What one object looks like after verification. */
export type ObjectFinding =
  | { readonly ref: ObjectRef | 'CONFIG'; readonly ok: true; readonly bytes: number }
  | { readonly ref: ObjectRef | 'CONFIG'; readonly ok: false; readonly error: Error };

/**
 * A Kloset store: one configuration and objects named by type and MAC.
 *
 * Guarantees that every implementation gives:
 * - an object is visible only when it is whole; `put` returns after it is durable as far as the medium tells;
 * - `put` of an object that exists with the same content sends nothing; a lock is put again freely;
 * - `get` and `stat` see what a `put` that returned has written;
 * - `put` releases what its source holds in memory once nothing reads it any more, whether it succeeded or not;
 * - `delete` of an object that is gone succeeds;
 * - `create` on a location that holds a configuration rejects with STORE_EXISTS and changes nothing.
 *
 * Methods may be called concurrently. Errors are KlosetErrors that name the object and the place.
 */
export interface ObjectStore {
  /** For messages: `oci://host/repository` or a path. */
  readonly location: string;
  create(config: Uint8Array, options?: OperationOptions): Promise<void>;
  /** The configuration; STORE_MISSING when there is none. */
  open(options?: OperationOptions): Promise<Uint8Array>;
  /** Every MAC of a type once, in no order, as a stream. Names that are no MACs are left out. */
  list(type: ObjectType, options?: OperationOptions): MacList;
  /** OBJECT_MISSING when there is none. */
  stat(ref: ObjectRef, options?: OperationOptions): Promise<ObjectStat>;
  put(ref: ObjectRef, source: ByteSource, options?: PutOptions): Promise<PutResult>;
  /** The object or a part of it. A range beyond the end is cut; an offset at or beyond it is RANGE_INVALID. */
  get(ref: ObjectRef, options?: GetOptions): Promise<ObjectContent>;
  delete(ref: ObjectRef, options?: OperationOptions): Promise<void>;
  /** Checks one object: present, of the right size; `deep` also reads and digests it. Rejects only when cancelled. */
  verify(ref: ObjectRef, options?: OperationOptions & { deep?: boolean }): Promise<ObjectFinding>;
  close(): Promise<void>;
}
