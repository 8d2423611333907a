import { close, fsync, open, unlink, writev } from 'node:fs';
import { promisify } from 'node:util';
import { FileReader } from './fileReader.ts';
import type { BlobReader, UploadSink } from './storage.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const syncFile = promisify(fsync);
const unlinkFile = promisify(unlink);

/** Bytes that may wait for the disk before the socket is held back, and where it may go on. */
const HIGH_WATER = 4 << 20;
const LOW_WATER = 1 << 20;

interface Waiter {
  readonly below: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Appends chunks to a temporary file. While one write runs on the thread pool, further chunks gather for the next
 * `writev`, so that the socket and the disk work at the same time and a fast socket leads to large writes.
 */
export class FileSink implements UploadSink {
  readonly path: string;
  #fd: number | undefined;
  #gathered: Buffer[] = [];
  #queued = 0;
  #length = 0;
  #running = false;
  #error: Error | undefined;
  #waiters: Waiter[] = [];

  constructor(path: string) {
    this.path = path;
  }

  write(chunk: Buffer): boolean {
    this.#gathered.push(chunk);
    this.#queued += chunk.length;
    if (!this.#running) this.#start();
    return this.#queued < HIGH_WATER;
  }

  drained(): Promise<void> {
    return this.#until(LOW_WATER);
  }

  async reread(): Promise<BlobReader> {
    await this.#until(0);
    return FileReader.open(this.path, 0, this.#length);
  }

  /** Ends the file, so that it can be renamed. */
  async finish(durable: boolean): Promise<void> {
    await this.#until(0);
    const fd = this.#fd ?? (await openFile(this.path, 'wx'));
    this.#fd = undefined;
    try {
      if (durable) await syncFile(fd);
    } finally {
      await closeFile(fd);
    }
  }

  async discard(): Promise<void> {
    await this.#until(0).catch(() => {});
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) await closeFile(fd).catch(() => {});
    await unlinkFile(this.path).catch(() => {});
  }

  #start(): void {
    this.#running = true;
    if (this.#fd !== undefined) {
      this.#writeGathered(this.#fd);
      return;
    }
    open(this.path, 'wx', (error, fd) => {
      if (error) return this.#fail(error);
      this.#fd = fd;
      this.#writeGathered(fd);
    });
  }

  #writeGathered(fd: number): void {
    const batch = this.#gathered;
    this.#gathered = [];
    let bytes = 0;
    for (const chunk of batch) bytes += chunk.length;
    this.#writeBatch(fd, batch, bytes);
  }

  #writeBatch(fd: number, batch: Buffer[], bytes: number): void {
    writev(fd, batch, this.#length, (error, written) => {
      if (error) return this.#fail(error);
      this.#length += written;
      this.#queued -= written;
      if (written < bytes) {
        // A file system may take only a part, for instance just before it is full.
        this.#writeBatch(fd, [Buffer.concat(batch).subarray(written)], bytes - written);
        return;
      }
      this.#wake();
      if (this.#gathered.length > 0) this.#writeGathered(fd);
      else this.#running = false;
    });
  }

  #until(below: number): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    if (this.#queued <= below) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ below, resolve, reject }));
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => this.#queued <= waiter.below);
    this.#waiters = this.#waiters.filter((waiter) => this.#queued > waiter.below);
    for (const waiter of ready) waiter.resolve();
  }

  #fail(error: Error): void {
    this.#error = error;
    this.#gathered = [];
    // #running stays true: nothing is written after a gap.
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
