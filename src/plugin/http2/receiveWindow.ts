import { MAX_31_BIT } from './protocol.ts';

/**
 * One window of flow control towards us (RFC 9113 §5.2): what the host may still send, and what it has been granted
 * beyond that but not been told yet. A grant is told once the host has used half of the window, since a WINDOW_UPDATE
 * for each frame costs as much as the frame.
 */
export class ReceiveWindow {
  readonly #initialBytes: number;
  #availableBytes: number;
  #grantedBytes = 0;

  constructor(initialBytes: number) {
    this.#initialBytes = initialBytes;
    this.#availableBytes = initialBytes;
  }

  /** Bytes that arrived; false when the host was not allowed to send them. */
  take(bytes: number): boolean {
    this.#availableBytes -= bytes;
    return this.#availableBytes >= 0;
  }

  grant(bytes: number): void {
    this.#grantedBytes += bytes;
  }

  /** True when an increment is worth a frame. */
  get due(): boolean {
    return this.#grantedBytes > 0 && this.#availableBytes <= this.#initialBytes / 2;
  }

  /** The increment to tell the host now; what would overflow the window stays for later. */
  takeIncrement(): number {
    const increment = Math.min(this.#grantedBytes, MAX_31_BIT - this.#availableBytes);
    this.#grantedBytes -= increment;
    this.#availableBytes += increment;
    return increment;
  }
}
