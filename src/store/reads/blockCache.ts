import { cancelled, type KlosetError } from '../../errors.ts';
import { type Clock, systemClock } from '../../flow/clock.ts';
import type { PlaceBytes } from '../../registry/transport.ts';
import type { ObjectRef } from '../objectNames.ts';
import type { ByteRange, ObjectContent } from '../objectStore.ts';
import { Block, type BlockOwner } from './block.ts';
import { BlockFetch, type OpenContent } from './blockFetch.ts';
import { BlockMemory } from './blockMemory.ts';
import { BlockRead } from './blockRead.ts';
import { InMemoryStream } from './inMemoryStream.ts';
import { type Ahead, type BlockRange, ReadPlanner } from './readPlanner.ts';
import { creditLeft, type ReadPolicy } from './readPolicy.ts';
import { ReadCounter, type ReadStats } from './readStats.ts';

/** Reads an object below the cache, whole where no range is given, into the memory of `place` as far as it can. */
export type ReadObject = (
  ref: ObjectRef,
  range: ByteRange | undefined,
  signal: AbortSignal,
  place: PlaceBytes,
) => Promise<ObjectContent>;

/** An object whose blocks may be in memory. */
export interface CachedObject extends BlockOwner {
  readonly bytes: number;
  readonly planner: ReadPlanner;
}

/** Blocks of objects in bounded memory: fetches those that are missing, one request for all who need them. */
export class BlockCache {
  readonly policy: ReadPolicy;
  readonly #memory: BlockMemory;
  readonly #read: ReadObject;
  readonly #fetches = new Set<BlockFetch>();
  readonly #counter = new ReadCounter();
  readonly #clock: Clock;
  #steps = 0;
  #closed: KlosetError | undefined;

  constructor(policy: ReadPolicy, cacheBytes: number, read: ReadObject, clock: Clock = systemClock) {
    this.policy = policy;
    this.#clock = clock;
    this.#memory = new BlockMemory(cacheBytes, policy.aheadShare);
    this.#read = read;
  }

  get stats(): ReadStats {
    return this.#counter.snapshot(this.#memory);
  }

  object(ref: ObjectRef, bytes: number): CachedObject {
    return { ref, bytes, blocks: [], planner: new ReadPlanner(this.policy, bytes) };
  }

  /** Bytes that lie inside the object. What is missing is asked for before this returns. */
  read(object: CachedObject, range: ByteRange, signal: AbortSignal | undefined): ObjectContent {
    const { offset, length } = range;
    const { wanted, around, ahead, step } = object.planner.plan(offset, length, this.#creditBytes);
    if (step) this.#steps++;
    const parts = this.#inMemory(object, wanted, offset, offset + length);
    this.#counter.read(length, parts !== undefined);
    if (parts) {
      if (ahead) this.#fetchAhead(object, ahead);
      return { bytes: length, parts, stream: new InMemoryStream(parts) };
    }
    const read = new BlockRead(this, object, range, signal);
    if (!this.#closed) {
      read.begin(around);
      if (ahead) this.#fetchAhead(object, ahead);
    }
    return { bytes: length, stream: read.stream() };
  }

  /** A reader has come to a block. */
  use(block: Block): void {
    this.#memory.use(block);
  }

  /**
   * Starts the request that brings the first block of `wanted`, which is missing, and as many of the next ones as
   * are missing too, with those around it; false when there is no room for that at once.
   */
  tryFetch(object: CachedObject, wanted: BlockRange, around: BlockRange): boolean {
    if (this.#closed) return false;
    const widest = this.#request(object, wanted, around);
    if (this.#memory.tryTake(this.#bytesOf(object, widest))) {
      this.#start(object, widest, false);
      return true;
    }
    const needed = this.#request(object, wanted, wanted);
    if (needed.to - needed.from === widest.to - widest.from) return false;
    if (!this.#memory.tryTake(this.#bytesOf(object, needed))) return false;
    this.#start(object, needed, false);
    return true;
  }

  /**
   * As {@link tryFetch}, waiting for room. Others may fetch the blocks meanwhile, or evict them again: look before
   * relying on them.
   *
   * @throws KlosetError CANCELLED
   */
  async obtain(object: CachedObject, wanted: BlockRange, signal: AbortSignal | undefined): Promise<void> {
    if (this.#closed) throw this.#closed;
    const request = this.#request(object, wanted, wanted);
    const bytes = this.#bytesOf(object, request);
    await this.#memory.take(bytes, signal);
    const needed = !signal?.aborted && !this.#closed && isMissing(object, request);
    if (needed) this.#start(object, request, false);
    else this.#memory.giveBack(bytes);
  }

  /** Gives back the memory of an object that nobody will ask for again. Reads under way go on to their end. */
  forget(object: CachedObject): void {
    for (const block of object.blocks) if (block?.data) this.#memory.drop(block);
  }

  /** Ends all requests. What waits for them fails with CANCELLED. */
  async close(): Promise<void> {
    this.#closed = cancelled();
    for (const fetch of this.#fetches) fetch.abandon(this.#closed);
    await Promise.all([...this.#fetches].map(({ done }) => done));
  }

  /** What may be fetched ahead now, in bytes. */
  get #creditBytes(): number {
    const { firstReadBytes: readBytes, unreadBytes, aheadRoomBytes } = this.#memory;
    return Math.min(
      aheadRoomBytes,
      creditLeft(this.policy.credit, { steps: this.#steps, readBytes, unreadBytes }),
    );
  }

  #inMemory(
    object: CachedObject,
    { from, to }: BlockRange,
    offset: number,
    end: number,
  ): Uint8Array[] | undefined {
    const { blocks } = object;
    for (let index = from; index < to; index++) if (!blocks[index]?.data) return undefined;
    const parts: Uint8Array[] = [];
    for (let index = from; index < to; index++) {
      const block = blocks[index] as Block;
      const start = index * this.policy.blockBytes;
      parts.push((block.data as Uint8Array).subarray(Math.max(0, offset - start), end - start));
      this.#memory.use(block);
    }
    return parts;
  }

  /** Fetches ahead of a stream as far as there is room for it. */
  #fetchAhead(object: CachedObject, { range, descending, took }: Ahead): void {
    const most = this.policy.requestBytes / this.policy.blockBytes;
    let done = 0;
    while (done < range.to - range.from) {
      const rest = descending
        ? { from: range.from, to: range.to - done }
        : { from: range.from + done, to: range.to };
      const missing = descending ? lastMissing(object, rest, most) : firstMissing(object, rest, most);
      if (missing) {
        if (!this.#memory.tryTakeAhead(this.#bytesOf(object, missing))) break;
        this.#start(object, missing, true);
      }
      if (!missing) done = range.to - range.from;
      else done = descending ? range.to - missing.from : missing.to - range.from;
    }
    took(done);
  }

  /** Starts the request for blocks whose memory is taken. */
  #start(object: CachedObject, range: BlockRange, ahead: boolean): void {
    const { blockBytes } = this.policy;
    const blocks: Block[] = [];
    for (let index = range.from; index < range.to; index++) {
      const bytes = Math.min(blockBytes, object.bytes - index * blockBytes);
      const block = new Block(object, index, bytes, ahead);
      object.blocks[index] = block;
      blocks.push(block);
    }
    const length = this.#bytesOf(object, range);
    this.#counter.request(length, ahead);
    const offset = range.from * blockBytes;
    // Without a range the store below checks the digest.
    const whole = length === object.bytes;
    const open: OpenContent = (signal, skip, place) =>
      this.#read(
        object.ref,
        whole && skip === 0 ? undefined : { offset: offset + skip, length: length - skip },
        signal,
        place,
      );
    const fetch = new BlockFetch(blocks, ahead, this.#memory, open, this.#clock);
    this.#fetches.add(fetch);
    void fetch.done.then(() => this.#fetches.delete(fetch));
  }

  /** The blocks of one request: from the first of `wanted` on, then those behind it, as long as all are missing. */
  #request({ blocks, bytes }: CachedObject, wanted: BlockRange, around: BlockRange): BlockRange {
    const { demandRequestBytes, wholeBytes, blockBytes } = this.policy;
    // A small object comes in one request whatever its length, so that its digest is checked.
    const most = bytes <= wholeBytes ? Math.ceil(bytes / blockBytes) : demandRequestBytes / blockBytes;
    let { from } = wanted;
    let to = from;
    while (to < around.to && to - from < most && !blocks[to]) to++;
    while (from > around.from && to - from < most && !blocks[from - 1]) from--;
    return { from, to };
  }

  #bytesOf(object: CachedObject, { from, to }: BlockRange): number {
    const { blockBytes } = this.policy;
    return Math.min(object.bytes, to * blockBytes) - from * blockBytes;
  }
}

/** The first run of missing blocks within a range, at most so many. */
function firstMissing({ blocks }: CachedObject, range: BlockRange, most: number): BlockRange | undefined {
  let { from } = range;
  while (from < range.to && blocks[from]) from++;
  let to = from;
  while (to < range.to && to - from < most && !blocks[to]) to++;
  return from < to ? { from, to } : undefined;
}

/** The last run of missing blocks within a range, at most so many. */
function lastMissing({ blocks }: CachedObject, range: BlockRange, most: number): BlockRange | undefined {
  let { to } = range;
  while (to > range.from && blocks[to - 1]) to--;
  let from = to;
  while (from > range.from && to - from < most && !blocks[from - 1]) from--;
  return from < to ? { from, to } : undefined;
}

function isMissing({ blocks }: CachedObject, { from, to }: BlockRange): boolean {
  for (let index = from; index < to; index++) if (blocks[index]) return false;
  return true;
}
