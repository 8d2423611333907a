/** Just enough gRPC framing and protobuf for the null service: what the real service does is not measured here. */

const PREFIX_BYTES = 5;
const CHUNK_TAG = 0x1a;
const RANGE_TAG = 0x1a;

/** A message with its prefix of flag and length. */
export function answerOf(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** What stands before `length` bytes of a Get answer's chunk. */
export function chunkMessage(length: number): Buffer {
  const field = Buffer.from([0x0a, ...varint(length)]);
  const framed = Buffer.alloc(PREFIX_BYTES + field.length);
  framed.writeUInt32BE(field.length + length, 1);
  framed.set(field, PREFIX_BYTES);
  return framed;
}

/** The length in the range of a Get request; 0 when there is none. */
export function rangeOf(request: Buffer): number {
  // mac (34 bytes), type (2), range: the host of this benchmark sends nothing else.
  let at = PREFIX_BYTES + 36;
  if (request[at] !== RANGE_TAG) return 0;
  at += 3;
  while ((request[at] ?? 0) > 127) at++;
  at += 2;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = request[at++] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 128) return length;
  }
}

/** Finds the chunks in the messages of a Put, wherever frames cut them. */
export class PutBytes {
  readonly #keep: (bytes: Uint8Array) => void;
  readonly #head = Buffer.alloc(PREFIX_BYTES + 6);
  #headBytes = 0;
  /** Bytes of the message under way that are still to come, and whether they are a chunk's. */
  #left = 0;
  #isChunk = false;
  #written = 0;

  constructor(keep: (bytes: Uint8Array) => void) {
    this.#keep = keep;
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left === 0) {
        this.#head[this.#headBytes++] = bytes[at++] as number;
        this.#readHead();
        continue;
      }
      const end = Math.min(bytes.length, at + this.#left);
      if (this.#isChunk) {
        this.#keep(bytes.subarray(at, end));
        this.#written += end - at;
      }
      this.#left -= end - at;
      at = end;
    }
  }

  answer(): Buffer {
    return Buffer.from([0x08, ...varint(this.#written)]);
  }

  #readHead(): void {
    if (this.#headBytes <= PREFIX_BYTES) return;
    this.#isChunk = this.#head[PREFIX_BYTES] === CHUNK_TAG;
    const inLength = this.#isChunk && (this.#headBytes === PREFIX_BYTES + 1 || this.#last() > 127);
    if (inLength) return;
    this.#left = this.#head.readUInt32BE(1) - (this.#headBytes - PREFIX_BYTES);
    this.#headBytes = 0;
  }

  #last(): number {
    return this.#head[this.#headBytes - 1] ?? 0;
  }
}

function varint(value: number): number[] {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}
