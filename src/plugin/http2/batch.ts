import { FRAME_HEADER_BYTES } from './protocol.ts';

const SLAB_BYTES = 16 * 1024;
/** A piece below this is copied: one more element of a writev costs as much as copying about a kilobyte. */
const COPY_BELOW_BYTES = 1024;

/**
 * Frames that go out with one writev. Frame headers and other small pieces lie one behind the other in a slab, so that
 * a short answer is one piece; payloads are passed by reference.
 */
export class Batch {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** The part of the slab that belongs to the piece under construction. */
  #start = 0;
  #end = 0;

  get bytes(): number {
    return this.#bytes;
  }

  frameHeader(type: number, flags: number, streamId: number, payloadBytes: number): void {
    this.#reserve(FRAME_HEADER_BYTES);
    const slab = this.#slab;
    let at = this.#end;
    slab[at++] = payloadBytes >>> 16;
    slab[at++] = payloadBytes >>> 8;
    slab[at++] = payloadBytes;
    slab[at++] = type;
    slab[at++] = flags;
    slab[at++] = streamId >>> 24;
    slab[at++] = streamId >>> 16;
    slab[at++] = streamId >>> 8;
    slab[at] = streamId;
    this.#end += FRAME_HEADER_BYTES;
    this.#bytes += FRAME_HEADER_BYTES;
  }

  /** Bytes by reference, or copied where they are few. */
  payload(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (bytes.length < COPY_BELOW_BYTES) {
      this.#reserve(bytes.length);
      this.#slab.set(bytes, this.#end);
      this.#end += bytes.length;
      return;
    }
    this.#closePiece();
    this.#pieces.push(bytes);
  }

  /** What was collected; the batch is empty after it. */
  take(): Uint8Array[] {
    this.#closePiece();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    return pieces;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= SLAB_BYTES) return;
    this.#closePiece();
    // The old slab belongs to pieces that may still be on their way.
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#start = 0;
    this.#end = 0;
  }

  #closePiece(): void {
    if (this.#end === this.#start) return;
    this.#pieces.push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
