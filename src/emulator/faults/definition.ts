import type { AnswerHead, Exchange, FaultAction, FaultControls, RequestChange } from '../faults.ts';
import type { Kind } from './kinds.ts';
import type { ParamTable, Values } from './params.ts';

/** One request with what a fault asks of it. */
export interface Moment {
  readonly exchange: Exchange;
  readonly kind: Kind;
  /** `Content-Length` of the request; undefined for a chunked body. */
  readonly declaredBytes: number | undefined;
  /** The fault's clock when the request arrived, in milliseconds. */
  readonly nowMs: number;
}

/** A fault at work. All hooks but `start` and `watch` are called for the requests that it strikes. */
export interface FaultHooks {
  start?(controls: FaultControls): () => void;
  before?(moment: Moment): FaultAction | undefined;
  request?(moment: Moment): RequestChange | undefined;
  answer?(moment: Moment, head: AnswerHead): AnswerHead | undefined;
  /** `placeBytes` is where the chunk begins in the body; `lengthBytes` the length of it all. */
  body?(moment: Moment, chunk: Uint8Array, placeBytes: number, lengthBytes: number): Uint8Array;
  /** Called with each answer of the registry, struck or not. */
  watch?(moment: Moment, status: number, headers: Readonly<Record<string, string>>): void;
}

/** What a fault is made from. */
export interface FaultSetting {
  readonly name: string;
  readonly values: Values;
  readonly kinds: readonly Kind[];
  readonly nowMs: () => number;
  /** What went wrong in the fault's own wording; ends the parse. */
  readonly refuse: (why: string) => never;
}

/** One fault of the language. */
export interface FaultDefinition {
  readonly name: string;
  /** One sentence, for the documentation. */
  readonly says: string;
  readonly example: string;
  /** The requests that it strikes where the spec names none. Empty: the spec has to name some. */
  readonly kinds: readonly Kind[];
  /** The requests that it can strike; `none`: it is about the registry as a whole. Default: all. */
  readonly allowed?: readonly Kind[] | 'none';
  readonly params: ParamTable;
  /** True where the fault itself decides whether it has something to do at a request; hits then count those. */
  readonly picks?: true;
  make(setting: FaultSetting): FaultHooks;
}
