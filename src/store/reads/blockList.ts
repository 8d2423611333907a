import type { Block } from './block.ts';

/** Blocks from the oldest to the newest. A block is in one list at most. */
export class BlockList {
  #oldest: Block | undefined;
  #newest: Block | undefined;

  get oldest(): Block | undefined {
    return this.#oldest;
  }

  append(block: Block): void {
    block.previous = this.#newest;
    block.next = undefined;
    if (this.#newest) this.#newest.next = block;
    else this.#oldest = block;
    this.#newest = block;
  }

  remove(block: Block): void {
    if (block.previous) block.previous.next = block.next;
    else this.#oldest = block.next;
    if (block.next) block.next.previous = block.previous;
    else this.#newest = block.previous;
    block.previous = undefined;
    block.next = undefined;
  }

  /** Makes a block of the list the newest. */
  renew(block: Block): void {
    if (this.#newest === block) return;
    this.remove(block);
    this.append(block);
  }
}
