import type { ObjectRef } from '../objectNames.ts';
import type { BlockFetch } from './blockFetch.ts';

/** Told how the wait for a block ended: without a failure its content is there. */
export type Waiter = (failure: unknown) => void;

/** Where a block belongs. */
export interface BlockOwner {
  readonly ref: ObjectRef;
  /** Blocks by number: those that are in memory and those that are being fetched. */
  readonly blocks: (Block | undefined)[];
}

/** A piece of an object. Its bytes never change once they are there; a reader may hold them after an eviction. */
export class Block {
  readonly owner: BlockOwner;
  readonly index: number;
  /** Its length; the last block of an object is shorter. */
  readonly bytes: number;
  /** The content, once it is there. */
  data: Uint8Array | undefined;
  /** The request that brings it, while it is under way. */
  fetch: BlockFetch | undefined;
  /** Why its content will never be there. */
  failure: unknown;
  waiters: Waiter[] | undefined;
  /** Fetched ahead and not asked for so far. */
  unread: boolean;
  /** Whether a reader has come to it. */
  wasRead = false;
  // The neighbours in the list that it is in (blockList.ts).
  previous: Block | undefined;
  next: Block | undefined;

  constructor(owner: BlockOwner, index: number, bytes: number, unread: boolean) {
    this.owner = owner;
    this.index = index;
    this.bytes = bytes;
    this.unread = unread;
  }

  settle(failure?: unknown): void {
    this.fetch = undefined;
    this.failure = failure;
    const { waiters } = this;
    if (!waiters) return;
    this.waiters = undefined;
    for (const waiter of waiters) waiter(failure);
  }
}
