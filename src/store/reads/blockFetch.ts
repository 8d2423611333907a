import { asKlosetError, cancelled, isKlosetError, KlosetError, throwIfAborted } from '../../errors.ts';
import { describeRef } from '../objectNames.ts';
import type { ObjectContent } from '../objectStore.ts';
import type { Block } from './block.ts';
import type { BlockMemory } from './blockMemory.ts';

/** Opens the bytes of a fetch at their place. */
export type OpenContent = (signal: AbortSignal) => Promise<ObjectContent>;

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
  #readers = 0;
  #arrived = 0;
  #over = false;

  /**
   * @param blocks adjacent blocks, ascending, whose memory is taken
   * @param ahead goes on when nobody waits for it
   */
  constructor(blocks: readonly Block[], ahead: boolean, memory: BlockMemory, open: OpenContent) {
    this.#blocks = blocks;
    this.#ahead = ahead;
    this.#memory = memory;
    for (const block of blocks) block.fetch = this;
    this.done = this.#run(open);
  }

  /** A reader needs blocks of this fetch. */
  join(): void {
    this.#readers++;
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
      await this.#fill(await open(this.#stop.signal));
    } catch (error) {
      this.#fail(this.#named(asKlosetError(error)));
    } finally {
      this.#over = true;
    }
  }

  async #fill(content: ObjectContent): Promise<void> {
    const expected = this.#blocks.reduce((sum, { bytes }) => sum + bytes, 0);
    if (content.bytes !== expected) throw wrongLength(content.bytes, expected);
    const last = this.#blocks.length - 1;
    let seen = 0;
    let buffer: Uint8Array | undefined;
    let filled = 0;
    for await (const chunk of content.stream) {
      throwIfAborted(this.#stop.signal);
      seen += chunk.length;
      if (seen > expected) throw wrongLength(seen, expected);
      for (let at = 0; at < chunk.length; ) {
        const block = this.#blocks[this.#arrived] as Block;
        buffer ??= Buffer.allocUnsafeSlow(block.bytes);
        const part = Math.min(block.bytes - filled, chunk.length - at);
        buffer.set(chunk.subarray(at, at + part), filled);
        filled += part;
        at += part;
        if (filled < block.bytes || this.#arrived === last) continue;
        this.#complete(block, buffer);
        buffer = undefined;
        filled = 0;
      }
    }
    throwIfAborted(this.#stop.signal);
    if (seen !== expected || !buffer) throw wrongLength(seen, expected);
    this.#complete(this.#blocks[last] as Block, buffer);
  }

  #complete(block: Block, buffer: Uint8Array): void {
    this.#arrived++;
    block.data = buffer;
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
