import type { ErrorCode } from '../../src/errors.ts';
import type { OciStoreOptions } from '../../src/store/openStore.ts';
import type { OperationName } from './operations.ts';

/** Rows of the fault table: each of the faults meets each of the operations. */
export interface Rows {
  /** One fault, or several at once, in the language of `registry serve --fault`. */
  readonly faults: readonly (string | readonly string[])[];
  readonly does: readonly OperationName[];
  /** The code of the error that it ends with; absent: it succeeds. */
  readonly ends?: ErrorCode;
  /** What the error says beside its code. */
  readonly says?: RegExp;
  /** Requests beyond those of the operation without faults, at most. @default 3 */
  readonly extra?: number;
  /** Bytes that are sent again, at most, as a share of the operation's bytes. @default 0 */
  readonly again?: number;
  /** Faults that must not strike: each says what a client must not do. */
  readonly never?: readonly string[];
  /** How long the client waits by its own clock, in milliseconds: at least, at most. */
  readonly waitsMs?: readonly [number, number];
  /** Sessions that the client cannot know of, since the answer that named them was lost. @default 0 */
  readonly orphans?: number;
  /** By the machine's clock instead of one that jumps: for what ends by itself. */
  readonly realTime?: true;
  /** What the client cannot do yet; the rows are skipped until it can. */
  readonly pending?: string;
  readonly options?: OciStoreOptions;
}
