import type { SharedSlice } from './slabs.ts';

/** Bytes of an open file. A worker reads them itself: descriptors belong to the process, not to a thread. */
export interface FileRange {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
  /** An Int32 that is not 0 once nobody wants the result any more: the worker then stops reading. */
  readonly stop?: SharedArrayBuffer;
}

/** What is hashed: shared memory, or part of a file. */
export type HashInput = readonly SharedSlice[] | FileRange;

/** Where bytes are written that were hashed. */
export interface FilePlace {
  readonly fd: number;
  readonly offset: number;
}

/** Why hashed bytes could not be written: an errno. */
interface WriteFailure {
  readonly writeFailure: string;
}

/** Why the bytes of a file could not be hashed: an errno, `SHORT` where it ended before the range did, or `STOPPED`. */
interface FileFailure {
  readonly fileFailure: string;
}

/** The implementations of SHA-256. */
export type HashProvider = 'wasm' | 'native';

/** What the pool sends to a hash worker. */
export type HashTask =
  /** The digest of bytes that are all there. */
  | { readonly op: 'digest'; readonly provider: HashProvider; readonly input: HashInput }
  /** One more chunk of a stream, from a saved state (absent at the start) to the next. */
  | {
      readonly op: 'chain';
      readonly state: Uint8Array | undefined;
      readonly input: HashInput;
      readonly output?: FilePlace | undefined;
    }
  /** The digest that a saved state stands for. */
  | { readonly op: 'finish'; readonly state: Uint8Array | undefined }
  /** One more chunk of a stream whose state this worker holds; `first` opens it. */
  | {
      readonly op: 'lane-update';
      readonly lane: number;
      readonly first: boolean;
      readonly input: HashInput;
      /** Where the same bytes are written: they are in the core's own cache now. */
      readonly output?: FilePlace | undefined;
    }
  | { readonly op: 'lane-digest'; readonly lane: number }
  | { readonly op: 'lane-drop'; readonly lane: number }
  /** Time in milliseconds that a provider takes for `bytes`. */
  | { readonly op: 'measure'; readonly provider: HashProvider; readonly bytes: number }
  /** Ends the thread without a word: how tests kill a worker. */
  | { readonly op: 'crash' };

/** What comes back: a digest in hex, a state, a time, nothing, or why a file could not be read or written. */
export type HashResult = string | Uint8Array | number | FileFailure | WriteFailure | undefined;

/** Message of the error of a lane whose state died with its worker. */
export const LANE_LOST = 'hash lane lost';
