import { Batch } from './batch.ts';
import type { OutgoingBody } from './outgoingBody.ts';
import { DEFAULT_MAX_FRAME_BYTES, DEFAULT_WINDOW_BYTES, FLAG, FRAME, MAX_31_BIT } from './protocol.ts';
import type { ResponseBlocks } from './response.ts';

/** Bytes that wait for the host in all calls together before a writer has to wait, shared evenly among writers. */
const HIGH_WATER_BYTES = 2 * 1024 * 1024;
/** What a call may queue in any case. */
const MIN_SHARE_BYTES = 64 * 1024;
/** One writev: four times what a pipe takes, so that a PING's answer never waits long behind it. */
const BATCH_BYTES = 256 * 1024;
/** A host that allows larger frames gets no larger ones: they would block other calls for longer. */
const MAX_FRAME_BYTES = 64 * 1024;

/** The way out: one write at a time. */
export interface BatchWriter {
  /** Writes the pieces in order; `done` is called when they have left, and never after a failure. */
  write(pieces: readonly Uint8Array[], done: () => void): void;
}

/** What the output asks of the connection. */
export interface OutputOwner {
  /** A flush begins: the last moment for control frames that were put off. */
  beforeFlush(): void;
  /** The trailers of a call are in the batch; the answer is a frame to put behind them. */
  sent(streamId: number): Buffer | undefined;
}

/**
 * Collects what is to be sent within a turn of the event loop and writes it at once: control frames first, then one
 * frame of each call that may send, in turns. A call without window is left out until it has one.
 */
export class Output {
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
  readonly #writer: BatchWriter;
  readonly #owner: OutputOwner;
  readonly #blocks: ResponseBlocks;
  readonly #batch = new Batch();
  #windowBytes = DEFAULT_WINDOW_BYTES;
  #control: Buffer[] = [];
  #controlBytes = 0;
  #ready: OutgoingBody[] = [];
  /** Calls with bytes and a window of their own, while the connection has none. */
  #starved: OutgoingBody[] = [];
  #writers = 0;
  #scheduled = false;
  #writing = false;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(writer: BatchWriter, owner: OutputOwner, blocks: ResponseBlocks) {
    this.#writer = writer;
    this.#owner = owner;
    this.#blocks = blocks;
  }

  /** Bytes of control frames that the host has not taken yet. */
  get controlBytes(): number {
    return this.#controlBytes;
  }

  /** Queues a whole control frame, which must not change any more. */
  control(frame: Buffer): void {
    this.#control.push(frame);
    this.#controlBytes += frame.length;
    this.wake();
  }

  /** Queues bytes of a call; a promise when it is to wait before it queues more. */
  write(body: OutgoingBody, parts: readonly Uint8Array[]): Promise<void> | undefined {
    if (body.dropped) return undefined;
    const before = body.queuedBytes;
    body.push(parts);
    if (before === 0 && body.queuedBytes > 0) this.#writers++;
    this.offer(body);
    return body.queuedBytes > this.#shareBytes() ? body.waitForRoom() : undefined;
  }

  /** Lets a call take its turn if it has something that it may send. */
  offer(body: OutgoingBody): void {
    if (body.ready || !body.sendable) return;
    body.ready = true;
    this.#ready.push(body);
    this.wake();
  }

  /** Forgets what a call has queued. */
  unqueue(body: OutgoingBody): void {
    if (body.queuedBytes > 0) this.#writers--;
    body.clear();
  }

  /** The same for a call that sends nothing more. */
  drop(body: OutgoingBody): void {
    this.unqueue(body);
    body.drop();
  }

  /** A larger window of the connection; false when it would overflow. */
  grant(bytes: number): boolean {
    this.#windowBytes += bytes;
    if (this.#windowBytes > MAX_31_BIT) return false;
    const starved = this.#starved;
    this.#starved = [];
    for (const body of starved) {
      body.ready = false;
      this.offer(body);
    }
    return true;
  }

  peerAllowsFrames(bytes: number): void {
    this.maxFrameBytes = Math.min(bytes, MAX_FRAME_BYTES);
  }

  /** Flushes at the end of this turn of the event loop. */
  wake(): void {
    if (this.#scheduled || this.#writing || this.#stopped) return;
    this.#scheduled = true;
    // After all reads of this turn: the answers to a burst of requests leave together.
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  /** Resolves when all that can be sent has left. */
  async drained(): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      this.wake();
    });
  }

  /** Nothing is written any more. */
  stop(): void {
    this.#stopped = true;
    this.#control = [];
    this.#ready = [];
    this.#starved = [];
    this.#idle?.();
  }

  #flush(): void {
    if (this.#writing || this.#stopped) return;
    this.#owner.beforeFlush();
    this.#fill();
    const pieces = this.#batch.take();
    if (pieces.length === 0) {
      this.#idle?.();
      this.#idle = undefined;
      return;
    }
    this.#writing = true;
    this.#writer.write(pieces, () => {
      this.#writing = false;
      this.#flush();
    });
  }

  #fill(): void {
    for (const frame of this.#control) this.#batch.payload(frame);
    this.#control = [];
    this.#controlBytes = 0;
    while (this.#batch.bytes < BATCH_BYTES) {
      const body = this.#ready.shift();
      if (body === undefined) return;
      body.ready = false;
      if (body.dropped) continue;
      this.#takeTurn(body);
    }
  }

  /** One frame of a call, with its headers before the first and its trailers behind the last. */
  #takeTurn(body: OutgoingBody): void {
    const { streamId } = body;
    if (!body.headersSent && body.queuedBytes > 0) this.#headers(body, this.#blocks.headers(), 0);
    if (body.queuedBytes > 0) {
      if (body.windowBytes <= 0) return;
      const bytes = Math.min(body.queuedBytes, body.windowBytes, this.#windowBytes, this.maxFrameBytes);
      if (bytes <= 0) {
        body.ready = true;
        this.#starved.push(body);
        return;
      }
      this.#batch.frameHeader(FRAME.DATA, 0, streamId, bytes);
      body.moveTo(this.#batch, bytes);
      this.#windowBytes -= bytes;
      if (body.queuedBytes === 0) this.#writers--;
      if (body.queuedBytes <= this.#shareBytes() / 2) body.makeRoom();
    }
    if (body.queuedBytes === 0 && body.trailers !== undefined) {
      this.#headers(body, body.trailers(body.headersSent), FLAG.END_STREAM);
      body.drop();
      const behind = this.#owner.sent(streamId);
      if (behind !== undefined) this.#batch.payload(behind);
      return;
    }
    if (body.sendable) {
      body.ready = true;
      this.#ready.push(body);
    }
  }

  #headers(body: OutgoingBody, block: Buffer, flags: number): void {
    this.#batch.frameHeader(FRAME.HEADERS, FLAG.END_HEADERS | flags, body.streamId, block.length);
    this.#batch.payload(block);
    body.headersSent = true;
  }

  #shareBytes(): number {
    return Math.max(MIN_SHARE_BYTES, HIGH_WATER_BYTES / Math.max(1, this.#writers));
  }
}
