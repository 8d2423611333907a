import { cancelled, throwIfAborted } from '../errors.ts';
import type { Hasher } from '../workers/hasher.ts';
import type { SharedSlice, Slab, SlabPool } from '../workers/slabs.ts';
import { ArrivalHash } from './arrivalHash.ts';
import { ArrivingObject } from './arrivingObject.ts';
import type { IncomingObject } from './incomingObject.ts';

/** Room that an object has before it asks for any, so that a small one never waits for the memory of large ones. */
export const FIRST_ROOM_BYTES = 1024 * 1024;

/** What an object that grows takes memory from. */
export interface IntakeMemory {
  /** The memory of the first bytes. */
  takeFirst(): SharedSlice;
  giveFirst(first: SharedSlice): void;
  /** Memory for a further piece. @throws KlosetError CANCELLED */
  grow(object: object, signal: AbortSignal | undefined): Promise<Slab>;
  /** The object does not grow any more: it was discarded, or is complete. */
  settled(object: object): void;
}

/**
 * Memory for objects that arrive piece by piece, from a pool that bounds it. Several objects that each hold a part of
 * the memory and wait for the rest would wait for ever: so there is always enough, free or held by uploads that will
 * end, for the oldest of them to be completed, and the others grow with what is beyond that.
 */
export class Intake implements IntakeMemory {
  readonly #slabs: SlabPool;
  readonly #hasher: Hasher;
  readonly #pieceBytes: number;
  /** Length up to which an object is kept in memory. */
  readonly #limitBytes: number;
  readonly #firsts: SharedSlice[] = [];
  /** Bytes of pieces that each growing object holds or was promised, in order of age. */
  readonly #growing = new Map<object, number>();
  readonly #waiting: (() => void)[] = [];

  /**
   * @param limitBytes length up to which an object is kept in memory; beyond, it goes through a temporary file
   * @param pieceBytes unit in which objects grow
   */
  constructor(slabs: SlabPool, limitBytes: number, pieceBytes: number, hasher: Hasher) {
    this.#slabs = slabs;
    this.#hasher = hasher;
    this.#limitBytes = limitBytes;
    this.#pieceBytes = pieceBytes;
  }

  /** An object about to arrive. */
  receive(): IncomingObject {
    const object = new ArrivingObject(this, this.#limitBytes, new ArrivalHash(this.#hasher));
    this.#growing.set(object, 0);
    return object;
  }

  takeFirst(): SharedSlice {
    // Used again: shared memory is collected late, and a buffer per object has cost gigabytes.
    const free = this.#firsts.pop();
    return free ?? { shared: new SharedArrayBuffer(FIRST_ROOM_BYTES), offset: 0, length: FIRST_ROOM_BYTES };
  }

  giveFirst(first: SharedSlice): void {
    this.#firsts.push(first);
  }

  async grow(object: object, signal: AbortSignal | undefined): Promise<Slab> {
    throwIfAborted(signal);
    while (!this.#mayGrow(object)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      throwIfAborted(signal);
    }
    this.#promise(object, this.#pieceBytes);
    try {
      return await this.#slabs.acquire(this.#pieceBytes, signal);
    } catch (error) {
      this.#promise(object, -this.#pieceBytes);
      throw error;
    }
  }

  settled(object: object): void {
    if (this.#growing.delete(object)) for (const wake of this.#waiting.splice(0)) wake();
  }

  #promise(object: object, bytes: number): void {
    const held = this.#growing.get(object);
    if (held !== undefined) this.#growing.set(object, held + bytes);
  }

  #mayGrow(object: object): boolean {
    // Discarded while it waited.
    if (!this.#growing.has(object)) throw cancelled();
    const [oldest] = this.#growing;
    if (!oldest || oldest[0] === object) return true;
    let held = 0;
    for (const bytes of this.#growing.values()) held += bytes;
    const needed = Math.max(0, this.#limitBytes - oldest[1]);
    return held + this.#pieceBytes + needed <= this.#slabs.maxSlabBytes;
  }
}
