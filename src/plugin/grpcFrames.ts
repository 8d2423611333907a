import { KlosetError } from '../errors.ts';

/** The longest message that is taken, in bytes: the limit of grpc-go, on whose terms the host speaks. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

const PREFIX_BYTES = 5;

/** Who takes the messages of a call, in pieces as they arrive. */
export interface MessageSink {
  begin(lengthBytes: number): void;
  /** Never empty. The view is valid during this call only. */
  piece(bytes: Uint8Array): void;
  end(): void;
}

/**
 * Cuts the bytes of a call into gRPC messages (a flag, a length of four bytes, the message) without collecting them:
 * a packfile arrives in messages of 1 MiB, and holding one of each call would be memory that nobody accounts for.
 */
export class GrpcFrames {
  readonly #sink: MessageSink;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixBytes = 0;
  #leftBytes = 0;
  #messages = 0;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** Messages that are complete. */
  get messages(): number {
    return this.#messages;
  }

  /** @throws KlosetError REQUEST_UNSUPPORTED, MESSAGE_TOO_LARGE, and what the sink throws */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#prefixBytes < PREFIX_BYTES) {
        this.#prefix[this.#prefixBytes++] = bytes[at++] as number;
        if (this.#prefixBytes === PREFIX_BYTES) this.#begin();
        continue;
      }
      const piece = bytes.subarray(at, at + this.#leftBytes);
      at += piece.length;
      this.#leftBytes -= piece.length;
      this.#sink.piece(piece);
      if (this.#leftBytes === 0) this.#end();
    }
  }

  /**
   * The call has no more bytes.
   *
   * @throws KlosetError REQUEST_INVALID when that is in the middle of a message
   */
  end(): void {
    if (this.#prefixBytes === 0) return;
    const missing = this.#prefixBytes < PREFIX_BYTES ? 'in its prefix' : `${this.#leftBytes} bytes early`;
    throw new KlosetError('REQUEST_INVALID', `the request ended within a message, ${missing}`);
  }

  #begin(): void {
    const flag = this.#prefix[0] as number;
    if (flag === 1) {
      throw new KlosetError('REQUEST_UNSUPPORTED', 'the message is compressed, which was never agreed upon');
    }
    if (flag !== 0) throw new KlosetError('REQUEST_INVALID', `expected a message flag of 0, got ${flag}`);
    const lengthBytes = lengthOf(this.#prefix);
    if (lengthBytes > MAX_MESSAGE_BYTES) {
      throw new KlosetError(
        'MESSAGE_TOO_LARGE',
        `expected a message of at most ${MAX_MESSAGE_BYTES} bytes, got one of ${lengthBytes}`,
      );
    }
    this.#leftBytes = lengthBytes;
    this.#sink.begin(lengthBytes);
    if (lengthBytes === 0) this.#end();
  }

  #end(): void {
    this.#prefixBytes = 0;
    this.#messages++;
    this.#sink.end();
  }
}

// A part that is no longer goes out with the prefix: each piece of memory costs the system call that sends it.
const JOINED_BYTES = 16;

/** A message as it goes out: its prefix, then its parts by reference. */
export function framed(parts: readonly Uint8Array[]): Uint8Array[] {
  const [first, ...others] = parts;
  const joined = first !== undefined && first.length <= JOINED_BYTES ? first : undefined;
  const head = new Uint8Array(PREFIX_BYTES + (joined?.length ?? 0));
  let rest = parts.reduce((sum, part) => sum + part.length, 0);
  for (let at = PREFIX_BYTES - 1; at > 0; at--, rest = Math.floor(rest / 256)) head[at] = rest % 256;
  if (joined === undefined) return [head, ...parts];
  head.set(joined, PREFIX_BYTES);
  return [head, ...others];
}

function lengthOf(prefix: Uint8Array): number {
  let lengthBytes = 0;
  for (let at = 1; at < PREFIX_BYTES; at++) lengthBytes = lengthBytes * 256 + (prefix[at] as number);
  return lengthBytes;
}
