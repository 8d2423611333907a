import type { ByteSource } from './source.ts';

/** An object whose bytes are handed over as they arrive, of a length that is known only at its end. */
export interface IncomingObject {
  /** Bytes that can be written now; at least 1 MiB at the start, whatever the memory budget says. */
  readonly roomBytes: number;
  /**
   * Waits for more room within the memory budget; resolves with the number of bytes that were added to
   * {@link roomBytes}. One call at a time.
   *
   * @throws KlosetError CANCELLED, DISK_FULL, FILE_WRITE_FAILED (an object beyond memory goes through a file)
   */
  grow(signal?: AbortSignal): Promise<number>;
  /** Copies bytes. @throws RangeError beyond {@link roomBytes}, KlosetError DISK_FULL, FILE_WRITE_FAILED */
  write(bytes: Uint8Array): void;
  /**
   * All bytes were written: the object as a source, rereadable, that a put sends without a further copy. Its memory
   * is given back when that put has ended, or by {@link discard}. Nothing can be written any more.
   */
  finish(name: string): ByteSource;
  /** Gives the memory back. Harmless after the put has ended, and more than once. */
  discard(): void;
}
