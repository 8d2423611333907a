import { ConnectionFault, FLAG, H2_ERROR } from './protocol.ts';

/** Compressed bytes of one header block. grpc-go sends some hundred. */
const MAX_BLOCK_BYTES = 64 * 1024;
/** A block of the largest size needs four; empty CONTINUATION frames without end are a known attack. */
const MAX_CONTINUATIONS = 32;

/** A header block that is whole. */
export interface HeaderBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly bytes: Buffer;
}

/** Puts HEADERS and CONTINUATION frames together (RFC 9113 §4.3, §6.2, §6.10). */
export class HeaderAssembly {
  #streamId = 0;
  #endStream = false;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** True inside of a block: nothing but a CONTINUATION of it may follow. */
  get open(): boolean {
    return this.#streamId !== 0;
  }

  /** A HEADERS frame; the block when it is complete with it. The block is a view of the payload then. */
  begin(flags: number, streamId: number, payload: Buffer): HeaderBlock | undefined {
    const bytes = fragmentOf(flags, payload);
    const endStream = (flags & FLAG.END_STREAM) !== 0;
    if (flags & FLAG.END_HEADERS) return { streamId, endStream, bytes };
    this.#streamId = streamId;
    this.#endStream = endStream;
    this.#parts = [Buffer.from(bytes)];
    this.#bytes = bytes.length;
    return undefined;
  }

  continue(flags: number, streamId: number, payload: Buffer): HeaderBlock | undefined {
    if (!this.open || streamId !== this.#streamId) {
      throw new ConnectionFault(H2_ERROR.PROTOCOL_ERROR, 'a CONTINUATION frame that continues nothing');
    }
    this.#bytes += payload.length;
    if (this.#bytes > MAX_BLOCK_BYTES || this.#parts.length > MAX_CONTINUATIONS) {
      throw new ConnectionFault(H2_ERROR.ENHANCE_YOUR_CALM, 'a header block is too large');
    }
    this.#parts.push(Buffer.from(payload));
    if (!(flags & FLAG.END_HEADERS)) return undefined;
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#streamId = 0;
    return { streamId, endStream: this.#endStream, bytes };
  }
}

/** The payload of HEADERS without its padding and its priority, which RFC 9113 §5.3 lets a server ignore. */
function fragmentOf(flags: number, payload: Buffer): Buffer {
  let start = 0;
  let padding = 0;
  if (flags & FLAG.PADDED) {
    padding = payload[0] ?? 0;
    start = 1;
  }
  if (flags & FLAG.PRIORITY) start += 5;
  if (start > payload.length) {
    throw new ConnectionFault(H2_ERROR.FRAME_SIZE_ERROR, 'a HEADERS frame is shorter than its fields');
  }
  if (start + padding > payload.length) {
    throw new ConnectionFault(
      H2_ERROR.PROTOCOL_ERROR,
      'the padding of a HEADERS frame is longer than the frame',
    );
  }
  return payload.subarray(start, payload.length - padding);
}
