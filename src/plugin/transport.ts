import type { KlosetError } from '../errors.ts';

/**
 * What the plugin's service needs of the connection to its host, whichever HTTP/2 implementation carries it: calls
 * with bytes in both directions and a gRPC status at the end. Messages are the service's own business.
 */

/** The status codes of gRPC that the plugin answers with. */
export const GRPC_STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

/** One of {@link GRPC_STATUS}. */
export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];

/** Bytes that a host may send in a call before it is given credit for more. */
export const INITIAL_WINDOW_BYTES = 1024 * 1024;

/** Who takes the bytes of a request. */
export interface CallReceiver {
  /** Request bytes, in order. The view is valid during this call only: it is the connection's one read buffer. */
  data(bytes: Uint8Array): void;
  /** The host has sent all. Not called for a call that was aborted before. */
  end(): void;
}

/** One call of the host. */
export interface Call {
  /** The `:path` of the request, for example `/store.Store/Put`. */
  readonly path: string;
  /** Request headers by their lower-case names, without pseudo-headers. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Aborts, with a KlosetError CANCELLED as its reason, when the host resets the stream or is gone before the call
   * has ended.
   */
  readonly signal: AbortSignal;
  /** Names the receiver. To be called before the handler returns; bytes flow from then on. */
  receive(receiver: CallReceiver): void;
  /**
   * Lets the host send `bytes` more than {@link INITIAL_WINDOW_BYTES} and what it was credited before. This window is
   * the back-pressure: nothing else slows the host.
   */
  credit(bytes: number): void;
  /**
   * Queues response bytes, by reference: they must not change any more. Response headers go out with the first of
   * them. Returns undefined while there is room for more, else a promise that resolves when there is; it never
   * rejects. Nothing is sent, and nothing waits, once {@link signal} has aborted.
   */
  write(parts: readonly Uint8Array[]): Promise<void> | undefined;
  /**
   * Ends the call: trailers with `grpc-status` and, percent-encoded, `grpc-message`. A second end does nothing. Where
   * the host is still sending, it is told to stop (RST_STREAM NO_ERROR after the trailers, RFC 9113 §8.1).
   */
  end(status: GrpcStatus, message?: string): void;
}

/** Called for every call of the host, in the tick in which its headers arrive. */
export type CallHandler = (call: Call) => void;

/** An open connection to the host. */
export interface HostConnection {
  /**
   * Resolves when both pipes are closed and every call has ended or was aborted, with the reason where the host broke
   * the protocol (CONNECTION_LOST). Never rejects.
   */
  readonly closed: Promise<KlosetError | undefined>;
  /**
   * Takes no new calls (GOAWAY), lets those under way end, then closes both pipes. A call that has not ended after
   * `graceMs` is aborted, and the host is told UNAVAILABLE.
   */
  shutdown(graceMs: number): Promise<void>;
}

/** The two pipes of the plugin, by their file descriptors: 0 and 1 in real life. */
export interface HostPipes {
  readonly inputFd: number;
  readonly outputFd: number;
}

/** Speaks HTTP/2 as the server of one prior-knowledge connection. */
export type ServeHost = (pipes: HostPipes, onCall: CallHandler) => HostConnection;
