/** What a request does, for counting, for flow control and for messages. */
export type RequestKind =
  | 'ping'
  | 'blob-head'
  | 'blob-read'
  | 'blob-delete'
  | 'upload-start'
  | 'upload-chunk'
  | 'upload-commit'
  | 'upload-status'
  | 'upload-cancel'
  | 'manifest-read'
  | 'manifest-write'
  | 'manifest-delete'
  | 'tag-list'
  | 'login'
  | 'token';

/** A request body that can be sent again: retries, fallbacks and refreshed credentials all replay it. */
export interface RequestBody {
  readonly bytes: number;
  /** The bytes in order, from the start, at each call. */
  slices(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * Where the bytes of a body are to lie from position `at` on: memory that is not empty and holds nothing that is still
 * wanted, or a promise where there is none yet, after which it is asked again.
 */
export type PlaceBytes = (at: number) => Uint8Array | Promise<unknown>;

/** One exchange to be made. */
export interface RegistryRequest {
  readonly kind: RequestKind;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  /**
   * The reader's memory for the answer's body. A transport that can reads into it, where the answer is what was asked for
   * (206, or 200 without a Range), and what the body yields are then views of it; any other yields memory of its own.
   */
  readonly place?: PlaceBytes | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where there is no signal: ends the wait for its turn and for a next attempt, but no exchange that is under way. */
  readonly queueSignal?: AbortSignal | undefined;
  /** Called with the number of body bytes handed to the socket since the last call. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/** The answer. The body has to be read to its end or cancelled, else its connection stays taken. */
export interface RegistryAnswer {
  readonly status: number;
  /** Lower-case names; repeated headers are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The raw bytes; ends with CONNECTION_LOST or STALLED when they stop coming. */
  readonly body: AsyncIterable<Uint8Array> & { cancel(): Promise<void> };
}

/**
 * One request, one answer, whatever its status. Policies (credentials, flow control, counting) are functions from a
 * transport to a transport, put together in compose.ts.
 *
 * @throws KlosetError REGISTRY_UNREACHABLE, TLS_MISMATCH, TLS_UNTRUSTED, CONNECTION_LOST, STALLED, CANCELLED
 */
export type Transport = (request: RegistryRequest) => Promise<RegistryAnswer>;
