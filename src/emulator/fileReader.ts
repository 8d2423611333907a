import { close, open, read } from 'node:fs';
import { promisify } from 'node:util';
import type { BlobReader } from './storage.ts';

const openFile = promisify(open);

const PIECE = 256 << 10;
const SPARE_LIMIT = 16;
const spare: Buffer[] = [];

/**
 * Reads with two buffers in turn: one is filled while the other is on its way to the socket. Fresh buffers for each
 * piece would cost more in page faults than the read itself.
 */
export class FileReader implements BlobReader {
  readonly #fd: number;
  readonly #buffers: Buffer[] = [];
  #position: number;
  readonly #end: number;
  #turn = 0;
  #open = true;
  #reading = false;

  constructor(fd: number, start: number, end: number) {
    this.#fd = fd;
    this.#position = start;
    this.#end = end;
  }

  static async open(path: string, start: number, end: number): Promise<FileReader> {
    return new FileReader(await openFile(path, 'r'), start, end);
  }

  next(): Promise<Buffer | undefined> | undefined {
    const left = this.#end - this.#position;
    if (left <= 0 || !this.#open) return undefined;
    const buffer = this.#buffer(left);
    const wanted = Math.min(left, buffer.length);
    this.#reading = true;
    return new Promise((resolve, reject) => {
      read(this.#fd, buffer, 0, wanted, this.#position, (error, got) => {
        this.#reading = false;
        if (!this.#open) close(this.#fd, () => {});
        if (error) return reject(error);
        this.#position += got;
        resolve(got === 0 ? undefined : buffer.subarray(0, got));
      });
    });
  }

  close(clean: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    // A descriptor must not be closed under a running read: its number could already be another file's.
    if (!this.#reading) close(this.#fd, () => {});
    if (!clean || this.#reading) return;
    for (const buffer of this.#buffers) {
      if (buffer.length === PIECE && spare.length < SPARE_LIMIT) spare.push(buffer);
    }
  }

  #buffer(left: number): Buffer {
    const turn = this.#turn;
    this.#turn = 1 - turn;
    let buffer = this.#buffers[turn];
    if (!buffer) {
      buffer = left < PIECE ? Buffer.allocUnsafe(left) : (spare.pop() ?? Buffer.allocUnsafeSlow(PIECE));
      this.#buffers[turn] = buffer;
    }
    return buffer;
  }
}
