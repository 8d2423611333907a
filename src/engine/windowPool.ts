import type { FileReader } from './source.ts';

/**
 * Length of a window. It is small enough for a core's own cache: reading a gigabyte from the page cache costs a third
 * of the system time through 256 KiB that it costs through 1 MiB, and the socket copies from warm memory as well.
 */
const WINDOW_BYTES = 256 * 1024;

/**
 * A few small buffers through which files go to sockets. The one used last is the one used next; there are as many as
 * there are sockets that have not taken theirs yet.
 */
export class WindowPool {
  readonly #free: Uint8Array[] = [];
  #made = 0;

  /** Most memory that was in use, in bytes. */
  get peakBytes(): number {
    return this.#made * WINDOW_BYTES;
  }

  /**
   * Bytes of a file that the hash threads have just read, a window at a time. A window is valid until the next one is
   * asked for.
   *
   * @throws KlosetError SOURCE_UNREADABLE, SOURCE_CHANGED
   */
  *stream(reader: FileReader, start: number, bytes: number): Generator<Uint8Array, void, void> {
    for (let at = 0; at < bytes; at += WINDOW_BYTES) {
      const window = this.#free.pop() ?? this.#make();
      let taken = false;
      try {
        const length = Math.min(WINDOW_BYTES, bytes - at);
        const view = length === WINDOW_BYTES ? window : window.subarray(0, length);
        reader.readNow(view, start + at);
        yield view;
        taken = true;
      } finally {
        // Of a stream that is given up, the socket may still hold the window: it must not be written to again.
        if (taken) this.#free.push(window);
        else this.#made--;
      }
    }
  }

  #make(): Uint8Array {
    this.#made++;
    return new Uint8Array(WINDOW_BYTES);
  }
}
