import type { SharedSlice } from './slabs.ts';

/** The implementations of SHA-256. */
export type HashProvider = 'wasm' | 'native';

/** What the pool sends to a hash worker. */
export type HashTask =
  /** The digest of bytes that are all in memory. */
  | { readonly op: 'digest'; readonly provider: HashProvider; readonly slices: readonly SharedSlice[] }
  /** One more chunk of a stream, from a saved state (absent at the start) to the next. */
  | { readonly op: 'chain'; readonly state: Uint8Array | undefined; readonly slices: readonly SharedSlice[] }
  /** The digest that a saved state stands for. */
  | { readonly op: 'finish'; readonly state: Uint8Array | undefined }
  /** One more chunk of a stream whose state this worker holds; `first` opens it. */
  | {
      readonly op: 'lane-update';
      readonly lane: number;
      readonly first: boolean;
      readonly slices: readonly SharedSlice[];
    }
  | { readonly op: 'lane-digest'; readonly lane: number }
  | { readonly op: 'lane-drop'; readonly lane: number }
  /** Time in milliseconds that a provider takes for `bytes`. */
  | { readonly op: 'measure'; readonly provider: HashProvider; readonly bytes: number }
  /** Ends the thread without a word: how tests kill a worker. */
  | { readonly op: 'crash' };

/** What comes back: a digest in hex, a state, a time, or nothing. */
export type HashResult = string | Uint8Array | number | undefined;

/** Message of the error of a lane whose state died with its worker. */
export const LANE_LOST = 'hash lane lost';
