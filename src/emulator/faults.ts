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

/** Bytes from the start of a body, or a share of its length. */
export type AnswerPlace = number | { readonly share: number };

/** How one exchange goes wrong. A byte count that the body never reaches leaves the exchange whole. */
export type FaultAction = FaultKind & {
  /** Called when the fault strikes: after the bytes of a reset or stall, with a refusal. */
  afterwards?: () => unknown;
};

type FaultKind =
  | {
      kind: 'respond';
      status: number;
      headers?: Record<string, string>;
      body?: string | Uint8Array;
      /** Read the request body first (default true); otherwise answer at once and close, as a proxy does. */
      drain?: boolean;
      /** Handle the request first, as a proxy does that gives up waiting. Default false. */
      handled?: boolean;
    }
  /** Resets the connection after this many request-body bytes were handled (default 0: not handled at all). */
  | { kind: 'reset'; afterRequestBytes?: number }
  /** Stops reading after this many request-body bytes and never answers, until the socket closes. */
  | { kind: 'stall'; afterRequestBytes?: number }
  /** Goes on only once the promise has resolved, as a registry does that is slow at just this. */
  | { kind: 'hold'; until: Promise<unknown>; next?: FaultAction }
  /** Handles the request, then closes the socket in place of answering, or with `silent` never answers. */
  | { kind: 'lose-response'; silent?: boolean }
  /** Handles the request twice, as a proxy's own retry does, and sends the second answer. */
  | { kind: 'handle-twice' }
  /** Sends the answer twice. Only answers from memory: those about blobs come once. */
  | { kind: 'answer-twice' }
  /** True headers; the socket closes after this many bytes of the response body. */
  | { kind: 'cut-response'; afterResponseBytes: AnswerPlace }
  /** A well-formed answer that ends after this many bytes, and says so in its length. */
  | { kind: 'shorten-response'; afterResponseBytes: AnswerPlace }
  /** True headers; nothing follows after this many bytes of the response body, until the socket closes. */
  | { kind: 'stall-response'; afterResponseBytes: AnswerPlace }
  /** Sends the response body at this pace. */
  | { kind: 'pace-response'; bytesPerSecond: number };

export interface AnswerHead {
  status: number;
  headers: Record<string, string>;
  /** The body where it is in memory: manifests, lists and errors. A plan may return another one. */
  body?: Uint8Array;
}

/** What a plan makes of a request before it is handled. */
export interface RequestChange {
  readonly headers?: IncomingHttpHeaders;
  readonly query?: URLSearchParams;
  /** Other bytes of the same length for a chunk of the body that begins at a place. */
  readonly change?: (chunk: Buffer, placeBytes: number) => Buffer;
  /** Reads the body at this pace. */
  readonly bytesPerSecond?: number;
}

/** What a plan may do to the registry as a whole. */
export interface FaultControls {
  /** Closes the port and all connections, forgets the sessions, and listens again after a time. */
  restart(downMs: number): void;
  dropSession(id: string): Promise<void>;
  dropBlob(repository: string, digest: string): Promise<void>;
  /** Connections above this number are closed as soon as they are made; undefined is no limit. */
  limitConnections(most: number | undefined): void;
}

/** Makes the registry misbehave. Every hook is optional and runs in the order in which requests arrive. */
export interface FaultPlan {
  /** Called when the plan comes into force; what it returns is called when that ends. */
  start?(controls: FaultControls): () => void;
  /** Consulted before a request is handled. */
  before?(exchange: Exchange): FaultAction | undefined;
  /** May change what the registry understands of a request. Called after `before`. */
  request?(exchange: Exchange): RequestChange | undefined;
  /** May return another status and other headers, in lower case, for an answer that is about to be sent. */
  answer?(exchange: Exchange, answer: AnswerHead): AnswerHead | undefined;
  /** May return other bytes for a chunk of a GET blob or GET manifest body. */
  body?(exchange: Exchange, chunk: Uint8Array): Uint8Array;
}
