import { cancelled } from '../../errors.ts';
import type { Block } from './block.ts';
import type { BlockCache, CachedObject } from './blockCache.ts';
import type { BlockFetch } from './blockFetch.ts';
import type { BlockRange } from './readPlanner.ts';

/**
 * One read that does not find all its bytes in memory. It holds the blocks that it needs next, so that none of them
 * can be evicted between its arrival and its turn, and lets go of each that it has handed over.
 */
export class BlockRead {
  readonly #cache: BlockCache;
  readonly #object: CachedObject;
  readonly #offset: number;
  readonly #end: number;
  readonly #to: number;
  readonly #signal: AbortSignal | undefined;
  readonly #held: (Block | undefined)[] = [];
  readonly #from: number;
  readonly #joined = new Set<BlockFetch>();

  constructor(
    cache: BlockCache,
    object: CachedObject,
    range: { offset: number; length: number },
    signal: AbortSignal | undefined,
  ) {
    const { blockBytes } = cache.policy;
    this.#cache = cache;
    this.#object = object;
    this.#offset = range.offset;
    this.#end = range.offset + range.length;
    this.#from = Math.floor(this.#offset / blockBytes);
    this.#to = Math.ceil(this.#end / blockBytes);
    this.#signal = signal;
  }

  /** Asks for the first blocks, those around them included, as far as there is room at once. */
  begin(around: BlockRange): void {
    this.#tryHold(this.#reach(this.#from), around);
  }

  /** The bytes, each block as soon as it is there. */
  async *stream(): AsyncGenerator<Uint8Array, void, void> {
    const { blockBytes, demandRequestBytes } = this.#cache.policy;
    let content = false;
    try {
      for (let index = this.#from; index < this.#to; index++) {
        const reach = this.#reach(index);
        const lacking = reach - this.#heldTo;
        // A step of less than a request would be a small request.
        if (lacking * blockBytes >= demandRequestBytes || (lacking > 0 && reach === this.#to))
          this.#tryHold(reach, undefined);
        if (this.#heldTo <= index) await this.#hold(index + 1);
        const block = this.#held[index - this.#from] as Block;
        const data = block.data ?? (await arrival(block, this.#signal));
        this.#held[index - this.#from] = undefined;
        const start = index * blockBytes;
        const from = Math.max(0, this.#offset - start);
        const to = Math.min(data.length, this.#end - start);
        yield from === 0 && to === data.length ? data : data.subarray(from, to);
      }
      content = true;
    } finally {
      for (const fetch of this.#joined) fetch.leave(!content);
    }
  }

  get #heldTo(): number {
    return this.#from + this.#held.length;
  }

  /** The block up to which a reader at `index` may have requests under way. */
  #reach(index: number): number {
    const { demandBytes, blockBytes } = this.#cache.policy;
    return Math.min(this.#to, index + demandBytes / blockBytes);
  }

  /** Holds blocks up to `to`, fetching those that are missing, until there is no room for a request. */
  #tryHold(to: number, around: BlockRange | undefined): void {
    while (this.#heldTo < to) {
      const range = { from: this.#heldTo, to };
      const block = this.#object.blocks[range.from];
      if (block) this.#take(block);
      else if (!this.#cache.tryFetch(this.#object, range, around ?? range)) return;
    }
  }

  async #hold(to: number): Promise<void> {
    while (this.#heldTo < to) {
      const block = this.#object.blocks[this.#heldTo];
      if (block) this.#take(block);
      else await this.#cache.obtain(this.#object, { from: this.#heldTo, to }, this.#signal);
    }
  }

  #take(block: Block): void {
    this.#held.push(block);
    this.#cache.use(block);
    if (!block.fetch || this.#joined.has(block.fetch)) return;
    block.fetch.join();
    this.#joined.add(block.fetch);
  }
}

/** The content of a block that is being fetched. */
function arrival(block: Block, signal: AbortSignal | undefined): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (block.failure !== undefined) return reject(block.failure);
    if (signal?.aborted) return reject(cancelled(signal.reason));
    const settle = (failure: unknown) => {
      signal?.removeEventListener('abort', onAbort);
      if (block.data) resolve(block.data);
      else reject(failure);
    };
    const onAbort = () => {
      block.waiters = block.waiters?.filter((waiter) => waiter !== settle);
      reject(cancelled(signal?.reason));
    };
    block.waiters ??= [];
    block.waiters.push(settle);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
