import type { Batch } from './batch.ts';
import { MAX_31_BIT } from './protocol.ts';

/** What one call sends: its bytes by reference, the host's window for it, and how it ends. */
export class OutgoingBody {
  readonly streamId: number;
  windowBytes: number;
  queuedBytes = 0;
  headersSent = false;
  /** Makes the header block that ends the call, given whether headers were sent before. */
  trailers: ((headersSent: boolean) => Buffer) | undefined;
  /** In the queue of streams that can send. */
  ready = false;
  #parts: Uint8Array[] = [];
  #first = 0;
  #firstOffset = 0;
  #dropped = false;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(streamId: number, windowBytes: number) {
    this.streamId = streamId;
    this.windowBytes = windowBytes;
  }

  get dropped(): boolean {
    return this.#dropped;
  }

  /** True when there is a frame that flow control of this stream allows. */
  get sendable(): boolean {
    if (this.#dropped) return false;
    if (this.queuedBytes > 0) return this.windowBytes > 0 || !this.headersSent;
    return this.trailers !== undefined;
  }

  push(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (part.length === 0) continue;
      this.#parts.push(part);
      this.queuedBytes += part.length;
    }
  }

  /** False when the window would overflow (RFC 9113 §6.9.1). A window may become negative (§6.9.2). */
  grant(bytes: number): boolean {
    this.windowBytes += bytes;
    return this.windowBytes <= MAX_31_BIT;
  }

  /** Moves the next `bytes` of the queue into a batch. */
  moveTo(batch: Batch, bytes: number): void {
    let left = bytes;
    while (left > 0) {
      const part = this.#parts[this.#first] as Uint8Array;
      const end = Math.min(part.length, this.#firstOffset + left);
      left -= end - this.#firstOffset;
      batch.payload(
        this.#firstOffset === 0 && end === part.length ? part : part.subarray(this.#firstOffset, end),
      );
      this.#firstOffset = end;
      if (end === part.length) this.#dropFirst();
    }
    this.queuedBytes -= bytes;
    this.windowBytes -= bytes;
  }

  /** A promise for room: resolves with {@link makeRoom} or {@link drop}. */
  waitForRoom(): Promise<void> {
    if (this.#room === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }

  makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** Forgets what is queued; nothing waits. */
  clear(): void {
    this.#parts = [];
    this.#first = 0;
    this.#firstOffset = 0;
    this.queuedBytes = 0;
    this.makeRoom();
  }

  /** Nothing more is sent. */
  drop(): void {
    this.clear();
    this.#dropped = true;
    this.trailers = undefined;
  }

  #dropFirst(): void {
    this.#firstOffset = 0;
    // Sent parts are let go at once, the array is shortened when it is used up.
    this.#parts[this.#first++] = EMPTY;
    if (this.#first < this.#parts.length) return;
    this.#parts = [];
    this.#first = 0;
  }
}

const EMPTY = new Uint8Array(0);
