import { cancelled } from '../../errors.ts';
import type { Block } from './block.ts';
import { BlockList } from './blockList.ts';

interface Claim {
  readonly bytes: number;
  readonly grant: () => void;
}

/**
 * The memory of all blocks, strictly bounded: bytes are taken when a request is planned, before any of them arrives.
 *
 * What was read goes first, the longest unused before others, since a host that reads in streams comes back to
 * little; what was fetched ahead and not yet read goes only for a read that waits. Fetching ahead never pushes out
 * what was fetched ahead: that would fetch the same bytes for ever without reading them.
 */
export class BlockMemory {
  readonly capacityBytes: number;
  readonly #aheadCapacityBytes: number;
  /** Blocks with their content, and the length of each list. */
  readonly #read = new BlockList();
  readonly #unread = new BlockList();
  #readBytes = 0;
  #unreadBytes = 0;
  /** Everything that was fetched ahead and not read, what is still under way included. */
  #aheadBytes = 0;
  #wastedBytes = 0;
  #firstReadBytes = 0;
  #usedBytes = 0;
  #peakBytes = 0;
  readonly #claims: Claim[] = [];

  /** @param aheadShare the part of the memory that may hold bytes which nobody has asked for, 0 to 1 */
  constructor(capacityBytes: number, aheadShare: number) {
    this.capacityBytes = capacityBytes;
    this.#aheadCapacityBytes = capacityBytes * aheadShare;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The most that was ever in use. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Bytes that were fetched ahead and are not read so far, or never were. */
  get unreadBytes(): number {
    return this.#aheadBytes + this.#wastedBytes;
  }

  /** Bytes of blocks that were read, each counted once while it is in memory. */
  get firstReadBytes(): number {
    return this.#firstReadBytes;
  }

  /** Bytes that could be fetched ahead now. */
  get aheadRoomBytes(): number {
    if (this.#claims.length > 0) return 0;
    const free = this.capacityBytes - this.#usedBytes + this.#readBytes;
    return Math.max(0, Math.min(free, this.#aheadCapacityBytes - this.#aheadBytes));
  }

  /** Takes bytes for blocks to be fetched ahead, or nothing. */
  tryTakeAhead(bytes: number): boolean {
    if (bytes > this.aheadRoomBytes) return false;
    this.#take(bytes);
    this.#aheadBytes += bytes;
    return true;
  }

  /** Takes bytes that a read needs, or nothing when too much is still under way, or others wait. */
  tryTake(bytes: number): boolean {
    if (this.#claims.length > 0 || !this.#fits(bytes)) return false;
    this.#take(bytes);
    return true;
  }

  /**
   * Takes bytes that a read needs as soon as there is room; first come, first served.
   *
   * @throws KlosetError CANCELLED
   */
  async take(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw cancelled(signal.reason);
    if (this.tryTake(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      const claim: Claim = {
        bytes,
        grant: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#claims.splice(this.#claims.indexOf(claim), 1);
        reject(cancelled(signal?.reason));
        this.#grant();
      };
      this.#claims.push(claim);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Gives back bytes of {@link take} or {@link tryTake} that became no blocks. */
  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#grant();
  }

  /** A block has its content now, and may be evicted. */
  arrived(block: Block): void {
    this.#enlist(block);
    this.#grant();
  }

  /** A block is being read, whether its content is there or still under way. */
  use(block: Block): void {
    if (block.owner.blocks[block.index] !== block) return;
    if (!block.wasRead) {
      block.wasRead = true;
      this.#firstReadBytes += block.bytes;
    }
    if (!block.unread) {
      if (block.data) this.#read.renew(block);
      return;
    }
    if (block.data) this.#delist(block);
    block.unread = false;
    this.#aheadBytes -= block.bytes;
    if (block.data) this.#enlist(block);
  }

  /** Gives back the bytes of a block, whether its content is there or will never be. */
  drop(block: Block): void {
    this.#remove(block);
    this.#grant();
  }

  #remove(block: Block): void {
    if (block.data) this.#delist(block);
    if (block.unread) {
      this.#aheadBytes -= block.bytes;
      if (block.data) this.#wastedBytes += block.bytes;
    }
    this.#usedBytes -= block.bytes;
    if (block.owner.blocks[block.index] === block) block.owner.blocks[block.index] = undefined;
  }

  #enlist(block: Block): void {
    if (block.unread) {
      this.#unread.append(block);
      this.#unreadBytes += block.bytes;
    } else {
      this.#read.append(block);
      this.#readBytes += block.bytes;
    }
  }

  #delist(block: Block): void {
    if (block.unread) {
      this.#unread.remove(block);
      this.#unreadBytes -= block.bytes;
    } else {
      this.#read.remove(block);
      this.#readBytes -= block.bytes;
    }
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes - this.#readBytes - this.#unreadBytes + bytes <= this.capacityBytes;
  }

  /** Takes bytes that fit once blocks have gone. */
  #take(bytes: number): void {
    while (this.#usedBytes + bytes > this.capacityBytes) {
      const victim = this.#read.oldest ?? this.#unread.oldest;
      if (!victim) throw new RangeError(`expected room for ${bytes} bytes`);
      this.#remove(victim);
    }
    this.#usedBytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
  }

  #grant(): void {
    for (let next = this.#claims[0]; next && this.#fits(next.bytes); next = this.#claims[0]) {
      this.#claims.shift();
      this.#take(next.bytes);
      next.grant();
    }
  }
}
