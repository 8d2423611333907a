import type { IncomingHttpHeaders } from 'node:http';

/** What a request is about, judged by its path alone. */
export type RouteName =
  | 'ping'
  | 'blob'
  | 'upload-start'
  | 'upload-session'
  | 'manifest'
  | 'tags'
  | 'referrers'
  | 'token'
  | 'unknown';

/** One request, as a fault plan sees it. */
export interface Exchange {
  readonly method: string;
  readonly route: RouteName;
  /** The path as sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly repository?: string;
  /** The digest, tag or session id at the end of the path. */
  readonly reference?: string;
  /** How many earlier exchanges had the same method and route, since the plan was set. */
  readonly ordinal: number;
}

/** How one exchange goes wrong. A byte count that the body never reaches leaves the exchange whole. */
export type FaultAction =
  | {
      kind: 'respond';
      status: number;
      headers?: Record<string, string>;
      body?: string | Uint8Array;
      /** Read the request body first (default true); otherwise answer at once and close, as a proxy does. */
      drain?: boolean;
    }
  /** Resets the connection after this many request-body bytes were handled (default 0: not handled at all). */
  | { kind: 'reset'; afterRequestBytes?: number }
  /** Stops reading after this many request-body bytes and never answers, until the socket closes. */
  | { kind: 'stall'; afterRequestBytes?: number }
  /** Handles the request only once the promise has resolved, as a registry does that is slow at just this. */
  | { kind: 'hold'; until: Promise<unknown> }
  /** Handles the request, then closes the socket in place of answering. */
  | { kind: 'lose-response' }
  /** True headers; the socket closes after this many bytes of the response body. */
  | { kind: 'cut-response'; afterResponseBytes: number }
  /** True headers; nothing follows after this many bytes of the response body, until the socket closes. */
  | { kind: 'stall-response'; afterResponseBytes: number };

export interface AnswerHead {
  status: number;
  headers: Record<string, string>;
}

/** Makes the registry misbehave. Every hook is optional and runs in the order in which requests arrive. */
export interface FaultPlan {
  /** Consulted before a request is handled. */
  before?(exchange: Exchange): FaultAction | undefined;
  /** May return another status and other headers, in lower case, for an answer that is about to be sent. */
  answer?(exchange: Exchange, answer: AnswerHead): AnswerHead | undefined;
  /** May return other bytes for a chunk of a GET blob or GET manifest body. */
  body?(exchange: Exchange, chunk: Uint8Array): Uint8Array;
}
