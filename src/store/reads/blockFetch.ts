import { asKlosetError, cancelled, isKlosetError, KlosetError, throwIfAborted } from '../../errors.ts';
import { type Clock, systemClock } from '../../flow/clock.ts';
import type { PlaceBytes } from '../../registry/transport.ts';
import { intoRoom } from '../intoRoom.ts';
import { describeRef } from '../objectNames.ts';
import type { ObjectContent } from '../objectStore.ts';
import type { Block } from './block.ts';
import type { BlockMemory } from './blockMemory.ts';

/** Opens the bytes of a fetch, without those that have arrived; `place` gives memory for what comes, from there on. */
export type OpenContent = (
  signal: AbortSignal,
  skipBytes: number,
  place: PlaceBytes,
) => Promise<ObjectContent>;

// After this long without a byte a reader who comes new is better served by a new request: the registry client would
// wait two minutes more before it makes one. Doubled each time, for storage that takes long to its first byte.
const PATIENCE_MS = 10_000;

/**
 * One request that fills adjacent blocks. A block is handed to those who wait for it as soon as it is full; the last
 * one when the content has ended as it should, since that is where a wrong length or digest shows.
 */
export class BlockFetch {
  /** Resolves when the request is over and its memory is accounted for. Never rejects. */
  readonly done: Promise<void>;
  readonly #blocks: readonly Block[];
  readonly #ahead: boolean;
  readonly #memory: BlockMemory;
  readonly #stop = new AbortController();
  readonly #clock: Clock;
  #readers = 0;
  #over = false;
  /** Blocks that are full, and bytes that have come. */
  #arrived = 0;
  #seen = 0;
  /** The memory of each block, from the first byte that is read into it. */
  readonly #buffers: Uint8Array[] = [];
  /** The request that is under way, and since when it has been silent. */
  #request = new AbortController();
  #silentSinceMs: number;
  #patienceMs = PATIENCE_MS;

  /**
   * @param blocks adjacent blocks, ascending, whose memory is taken
   * @param ahead goes on when nobody waits for it
   */
  constructor(
    blocks: readonly Block[],
    ahead: boolean,
    memory: BlockMemory,
    open: OpenContent,
    clock: Clock = systemClock,
  ) {
    this.#blocks = blocks;
    this.#ahead = ahead;
    this.#memory = memory;
    this.#clock = clock;
    this.#silentSinceMs = clock.now();
    for (const block of blocks) block.fetch = this;
    this.done = this.#run(open);
  }

  /** A reader needs blocks of this fetch. Where it has been silent for long, its request is made anew. */
  join(): void {
    this.#readers++;
    const now = this.#clock.now();
    if (this.#over || now - this.#silentSinceMs < this.#patienceMs) return;
    this.#patienceMs *= 2;
    this.#silentSinceMs = now;
    this.#request.abort(cancelled());
  }

  /**
   * A reader has got what it needs, or has given up. Where the last one gives up, the request is ended; where it is
   * content, the request goes on: it also brings what lies around.
   */
  leave(gaveUp: boolean): void {
    this.#readers--;
    if (gaveUp && this.#readers === 0 && !this.#ahead) this.abandon(cancelled());
  }

  /** Ends the request; its blocks are forgotten at once, and who waits for them gets the error. */
  abandon(reason: KlosetError): void {
    if (this.#over) return;
    for (const block of this.#pending()) {
      // A new reader must start a new request; the memory is given back when this one lets go of it.
      if (block.owner.blocks[block.index] === block) block.owner.blocks[block.index] = undefined;
      block.settle(reason);
    }
    this.#stop.abort(reason);
  }

  async #run(open: OpenContent): Promise<void> {
    try {
      await this.#attempt(open);
    } catch (error) {
      this.#fail(this.#named(asKlosetError(error)));
    } finally {
      this.#over = true;
    }
  }

  async #attempt(open: OpenContent): Promise<void> {
    const stop = this.#stop.signal;
    for (;;) {
      const request = this.#request.signal;
      try {
        const seen = this.#seen;
        const place: PlaceBytes = (at) => this.#room(seen + at);
        return await this.#fill(await open(AbortSignal.any([stop, request]), seen, place));
      } catch (error) {
        // Only a request that was given up for a new one is followed by one.
        if (!request.aborted || stop.aborted) throw error;
        this.#request = new AbortController();
      }
    }
  }

  async #fill(content: ObjectContent): Promise<void> {
    const expected = this.#blocks.reduce((sum, { bytes }) => sum + bytes, 0);
    const start = this.#seen;
    if (start + content.bytes !== expected) throw wrongLength(content.bytes, expected - start);
    const last = this.#blocks.length - 1;
    const { signal } = this.#request;
    for await (const chunk of content.stream) {
      throwIfAborted(this.#stop.signal);
      throwIfAborted(signal);
      this.#silentSinceMs = this.#clock.now();
      this.#patienceMs = PATIENCE_MS;
      if (this.#seen + chunk.length > expected)
        throw wrongLength(this.#seen + chunk.length - start, expected - start);
      this.#keep(chunk);
      while (this.#arrived < last && (this.#arrived + 1) * this.#blockBytes <= this.#seen) this.#complete();
    }
    throwIfAborted(this.#stop.signal);
    if (this.#seen !== expected || expected === 0) throw wrongLength(this.#seen - start, expected - start);
    this.#complete();
  }

  /** Of all but the last block, which may be shorter. */
  get #blockBytes(): number {
    return this.#blocks[0]?.bytes ?? 0;
  }

  /** Memory for the bytes from a position of the fetch on: no more than what is left of their block. */
  #room(position: number): Uint8Array {
    const index = Math.floor(position / this.#blockBytes);
    this.#buffers[index] ??= Buffer.allocUnsafeSlow((this.#blocks[index] as Block).bytes);
    return (this.#buffers[index] as Uint8Array).subarray(position - index * this.#blockBytes);
  }

  /** Takes bytes into the blocks, which is where most of them are already. */
  #keep(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const part = intoRoom(this.#room(this.#seen), chunk, at);
      this.#seen += part;
      at += part;
    }
  }

  /** The next block is full. The last one is completed by the end of the content. */
  #complete(): void {
    const block = this.#blocks[this.#arrived] as Block;
    block.data = this.#buffers[this.#arrived];
    this.#arrived++;
    this.#memory.arrived(block);
    block.settle();
  }

  #fail(error: KlosetError): void {
    for (const block of this.#pending()) {
      this.#memory.drop(block);
      block.settle(error);
    }
    if (!isKlosetError(error, 'BLOB_CORRUPT') && !isKlosetError(error, 'SIZE_MISMATCH')) return;
    // What came before is as wrong as the whole.
    for (const block of this.#blocks.slice(0, this.#arrived)) {
      if (block.owner.blocks[block.index] === block) this.#memory.drop(block);
    }
  }

  #named(error: KlosetError): KlosetError {
    const ref = this.#blocks[0]?.owner.ref;
    return ref && error.code !== 'CANCELLED' ? error.with({ object: describeRef(ref) }) : error;
  }

  #pending(): readonly Block[] {
    return this.#blocks.slice(this.#arrived);
  }
}

function wrongLength(bytes: number, expected: number): KlosetError {
  return new KlosetError('SIZE_MISMATCH', `the store gave ${bytes} bytes where the range has ${expected}`, {
    remedy: 'Check the object with "kloset-oci verify --deep".',
  });
}
