import { ByteBudget } from '../flow/byteBudget.ts';

/** Place of bytes in shared memory, as it is sent to a worker. */
export interface SharedSlice {
  readonly shared: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
}

/**
 * Memory for one chunk: shared with the hash workers and handed to the socket as it is, so that bytes are written
 * once and copied never. A slab is made of segments of one arena, which are used again and again.
 */
export class Slab {
  readonly capacityBytes: number;
  readonly #segments: readonly SharedSlice[];
  readonly #onRelease: () => void;
  #released = false;

  constructor(segments: readonly SharedSlice[], capacityBytes: number, onRelease: () => void) {
    this.#segments = segments;
    this.capacityBytes = capacityBytes;
    this.#onRelease = onRelease;
  }

  /** The first `bytes` of the slab as views, in order. */
  views(bytes: number): Uint8Array[] {
    return this.slices(bytes).map(({ shared, offset, length }) => new Uint8Array(shared, offset, length));
  }

  /** The same for a worker. */
  slices(bytes: number): SharedSlice[] {
    if (this.#released) throw new Error('the slab was released');
    const slices: SharedSlice[] = [];
    let rest = bytes;
    for (const segment of this.#segments) {
      if (rest <= 0) break;
      const length = Math.min(rest, segment.length);
      slices.push({ ...segment, length });
      rest -= length;
    }
    if (rest > 0) throw new RangeError(`expected at most ${this.capacityBytes} bytes, got ${bytes}`);
    return slices;
  }

  /** Gives the memory back. Views must not be used any more; a second call does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#onRelease();
  }
}

/**
 * Shared memory under a byte budget. It is one reservation, made once: the system hands out its pages when they are
 * first written, while a buffer per packfile would be zeroed each time and drive the garbage collector.
 */
export class SlabPool {
  readonly budget: ByteBudget;
  /** The unit in which memory is given out, in bytes. */
  readonly segmentBytes: number;
  /** Offsets of free segments; the last one freed is the first one used, since its pages are there already. */
  readonly #free: number[];
  #arena: SharedArrayBuffer | undefined;
  #lowestUsed: number;

  /**
   * @param capacityBytes the most memory that slabs take together; rounded down to whole segments, at least one
   * @param segmentBytes the unit in which memory is given out
   */
  constructor(capacityBytes: number, segmentBytes: number) {
    const count = Math.max(1, Math.floor(capacityBytes / segmentBytes));
    this.segmentBytes = segmentBytes;
    this.#free = Array.from({ length: count }, (_, at) => at * segmentBytes);
    this.#lowestUsed = count;
    this.budget = new ByteBudget(count * segmentBytes);
  }

  /** Memory that was ever in use, in bytes: what the system has handed out. */
  get touchedBytes(): number {
    return this.budget.capacityBytes - this.#lowestUsed * this.segmentBytes;
  }

  /** The largest slab that can be had, in bytes. */
  get maxSlabBytes(): number {
    return this.budget.capacityBytes;
  }

  /** Waits for room and returns a slab for `bytes`. */
  async acquire(bytes: number, signal?: AbortSignal): Promise<Slab> {
    const count = this.#segmentsFor(bytes);
    await this.budget.acquire(count * this.segmentBytes, signal);
    return this.#build(count);
  }

  /** A slab at once, or `undefined`: for reading ahead, which must never make others wait. */
  tryAcquire(bytes: number): Slab | undefined {
    const count = this.#segmentsFor(bytes);
    return this.budget.tryAcquire(count * this.segmentBytes) ? this.#build(count) : undefined;
  }

  #segmentsFor(bytes: number): number {
    return Math.max(1, Math.ceil(bytes / this.segmentBytes));
  }

  #build(count: number): Slab {
    this.#arena ??= new SharedArrayBuffer(this.budget.capacityBytes);
    const shared = this.#arena;
    const offsets = this.#free.splice(this.#free.length - count, count);
    this.#lowestUsed = Math.min(this.#lowestUsed, ...offsets.map((offset) => offset / this.segmentBytes));
    const segments = offsets.map((offset) => ({ shared, offset, length: this.segmentBytes }));
    return new Slab(segments, count * this.segmentBytes, () => {
      this.#free.push(...offsets);
      this.budget.release(count * this.segmentBytes);
    });
  }
}
