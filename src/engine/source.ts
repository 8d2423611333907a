import type { SharedSlice } from '../workers/slabs.ts';
import type { FileIdentity } from './fileIdentity.ts';

/** What holds the bytes of a source. */
interface HeldBytes {
  release(): void;
  /** The bytes in shared memory, in order, where they are hashed and sent from; absent where they lie elsewhere. */
  readonly slices?: readonly SharedSlice[] | undefined;
  /** Resolves with the digest of all slices, as `sha256:<hex>`, or `undefined`; absent where nobody computes it. */
  readonly digest?: Promise<string | undefined> | undefined;
}

/**
 * Where the bytes of a push come from. The engine reads into memory of its own (slabs), so that nothing is copied
 * between the read and the socket.
 */
export interface ByteSource {
  /** What messages call it: a path, an object name. */
  readonly name: string;
  /** Length in bytes, or `undefined` when it is known only at the end. */
  readonly sizeBytes: number | undefined;
  /** True when any position can be read any number of times; otherwise positions ascend without gaps, once. */
  readonly rereadable: boolean;
  /**
   * Present where the bytes lie in memory, complete, and can neither change nor vanish before `release` is called, which
   * is done when the put has ended, however it ended; calling it again does nothing.
   */
  readonly held?: HeldBytes | undefined;
  /** Opens the source. A source is opened once per push; readers are closed by the engine. */
  open(signal?: AbortSignal): Promise<ByteReader>;
}

/** An open source in a file. */
export interface FileReader extends ByteReader {
  /** For the hash threads, which read the file for themselves. */
  readonly fd: number;
  /** The file as it was when it was opened. */
  readonly identity: FileIdentity;
  /**
   * The same as {@link ByteReader.read}, at once. For bytes that were read a moment ago and lie in the page cache: what
   * is copied in 25 µs is not worth two changes of thread.
   */
  readNow(into: Uint8Array, position: number): number;
}

/** True for the reader of a file. */
export function isFileReader(reader: ByteReader): reader is FileReader {
  return 'fd' in reader;
}

/** An open source. */
export interface ByteReader {
  /**
   * Fills `into` with the bytes from `position` on. Returns how many were read: less than `into.length` only at the
   * end of the source. `into` may be a view of shared memory.
   *
   * @throws KlosetError SOURCE_UNREADABLE, SOURCE_CHANGED
   */
  read(into: Uint8Array, position: number): Promise<number>;
  /**
   * Called once all bytes were read and before the object becomes visible: throws SOURCE_CHANGED when the source is
   * not what it was when it was opened.
   */
  verifyUnchanged(): Promise<void>;
  close(): Promise<void>;
}
