import { NotHttpError } from './responseHead.ts';

type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done';

/** A size line or a trailer line is never that long; extensions of chunks are allowed, and read over. */
const LINE_BYTES = 4096;
const TRAILER_BYTES = 16 * 1024;

const CR = 13;
const LF = 10;

/** Takes the framing of the chunked transfer coding (RFC 9112, section 7.1) off a body, piece by piece. */
export class ChunkedBody {
  #state: State = 'size';
  /** Bytes that the chunk still has. */
  #rest = 0;
  #line = '';
  #trailerBytes = 0;

  /** Whether the last chunk and its trailer have been seen. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * Takes bytes off the wire.
   *
   * @param take called with views of `bytes` that are content, in order
   * @returns how many bytes belong to the body: fewer than there are where it ends among them
   * @throws NotHttpError
   */
  push(bytes: Uint8Array, take: (content: Uint8Array) => void): number {
    let at = 0;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const part = Math.min(this.#rest, bytes.length - at);
        take(bytes.subarray(at, at + part));
        at += part;
        this.#rest -= part;
        if (this.#rest === 0) this.#state = 'data-end';
        continue;
      }
      const byte = bytes[at++] as number;
      if (byte !== LF) {
        this.#line += String.fromCharCode(byte);
        if (this.#line.length > LINE_BYTES) throw new NotHttpError('an endless line in a chunked body');
        continue;
      }
      if (this.#line.charCodeAt(this.#line.length - 1) !== CR)
        throw new NotHttpError('a bare line feed in a chunked body');
      const line = this.#line.slice(0, -1);
      this.#line = '';
      this.#endLine(line);
    }
    return at;
  }

  #endLine(line: string): void {
    if (this.#state === 'data-end') {
      if (line !== '') throw new NotHttpError('a chunk that is longer than its size');
      this.#state = 'size';
    } else if (this.#state === 'size') {
      const size = /^([0-9a-f]{1,12})[\t ]*(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw new NotHttpError('a chunk without a size');
      this.#rest = Number.parseInt(size, 16);
      this.#state = this.#rest === 0 ? 'trailer' : 'data';
    } else {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > TRAILER_BYTES) throw new NotHttpError('an endless trailer');
      if (line === '') this.#state = 'done';
    }
  }
}
