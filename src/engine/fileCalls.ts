import fs from 'node:fs';
import { promisify } from 'node:util';

const inThread = {
  stat: promisify(fs.stat),
  open: promisify(fs.open),
  fstat: promisify(fs.fstat),
  read: promisify(fs.read),
  close: promisify(fs.close),
};

/** A local file system answers from memory in a hundredth of this, from an SSD in a third. In milliseconds. */
const SLOW_MS = 0.5;
/** A longer read goes to a thread, in bytes: this one takes 30 µs from memory. */
const PROMPT_BYTES = 256 * 1024;
/** Calls that go to threads after a slow one, before another is tried at once. */
const CAREFUL_CALLS = 64;

/**
 * Calls of the file system for many small files. Done at once each takes some microseconds; through a thread, which is
 * there and back, ten times as long, and a push of 2,000 files of 64 KiB spent more of the main thread on that than on
 * all its requests. Where one was slow, as over a network, the next ones go through threads, so that they are slow side
 * by side and not one after the other.
 */
export class FileCalls {
  readonly #slowMs: number;
  #careful = 0;

  /** @param slowMs time from which a call was slow */
  constructor(slowMs: number = SLOW_MS) {
    this.#slowMs = slowMs;
  }

  stat(path: string): fs.Stats | Promise<fs.Stats> {
    return this.#call(
      () => fs.statSync(path),
      () => inThread.stat(path),
    );
  }

  /** Opens a file for reading. */
  open(path: string): number | Promise<number> {
    return this.#call(
      () => fs.openSync(path, 'r'),
      () => inThread.open(path, 'r'),
    );
  }

  identify(fd: number): fs.BigIntStats | Promise<fs.BigIntStats> {
    return this.#call(
      () => fs.fstatSync(fd, { bigint: true }),
      () => inThread.fstat(fd, { bigint: true }),
    );
  }

  /** Returns the number of bytes that were read: 0 at the end of the file. */
  read(fd: number, into: Uint8Array, position: number): number | Promise<number> {
    const threaded = async () => (await inThread.read(fd, into, 0, into.length, position)).bytesRead;
    if (into.length > PROMPT_BYTES) return threaded();
    return this.#call(() => fs.readSync(fd, into, 0, into.length, position), threaded);
  }

  close(fd: number): void | Promise<void> {
    return this.#call(
      () => fs.closeSync(fd),
      () => inThread.close(fd),
    );
  }

  #call<T>(atOnce: () => T, threaded: () => Promise<T>): T | Promise<T> {
    if (this.#careful > 0) {
      this.#careful--;
      return threaded();
    }
    const startMs = performance.now();
    try {
      return atOnce();
    } finally {
      if (performance.now() - startMs >= this.#slowMs) this.#careful = CAREFUL_CALLS;
    }
  }
}

/** For all of a process, which is on one machine. */
export const fileCalls = new FileCalls();
