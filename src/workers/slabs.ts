import { ByteBudget } from '../flow/byteBudget.ts';

/** One piece of shared memory. */
interface Segment {
  readonly shared: SharedArrayBuffer;
}

const SMALL_BYTES = 64 * 1024;
const LARGE_BYTES = 4 * 1024 * 1024;
// Up to here a slab is made of small segments: a lock of 200 bytes must not take 4 MiB from the budget.
const SMALL_LIMIT_BYTES = 16 * SMALL_BYTES;

/** Place of bytes in shared memory, as it is sent to a worker. */
export interface SharedSlice {
  readonly shared: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
}

/**
 * Memory for one chunk: shared with the hash workers and handed to the socket as it is, so that bytes are written
 * once and copied never. Made of fixed segments, which are used again: allocating and zeroing a buffer for each
 * packfile costs as much as hashing a tenth of it.
 */
export class Slab {
  readonly capacityBytes: number;
  readonly #segments: readonly Segment[];
  readonly #segmentBytes: number;
  readonly #onRelease: () => void;
  #released = false;

  constructor(
    segments: readonly Segment[],
    segmentBytes: number,
    capacityBytes: number,
    onRelease: () => void,
  ) {
    this.#segments = segments;
    this.#segmentBytes = segmentBytes;
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
    for (const { shared } of this.#segments) {
      if (rest <= 0) break;
      const length = Math.min(rest, this.#segmentBytes);
      slices.push({ shared, offset: 0, length });
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

/** Shared memory under a byte budget. */
export class SlabPool {
  readonly budget: ByteBudget;
  readonly #free = new Map<number, Segment[]>([
    [SMALL_BYTES, []],
    [LARGE_BYTES, []],
  ]);
  #allocatedBytes = 0;

  /** @param capacityBytes the most memory that slabs take together */
  constructor(capacityBytes: number) {
    this.budget = new ByteBudget(Math.max(capacityBytes, LARGE_BYTES));
  }

  /** Shared memory that exists, used or waiting to be used again, in bytes. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /** The largest slab that can be had, in bytes. */
  get maxSlabBytes(): number {
    return Math.floor(this.budget.capacityBytes / LARGE_BYTES) * LARGE_BYTES;
  }

  /** Waits for room and returns a slab for `bytes`. */
  async acquire(bytes: number, signal?: AbortSignal): Promise<Slab> {
    const [segmentBytes, count] = layout(bytes);
    await this.budget.acquire(segmentBytes * count, signal);
    return this.#build(segmentBytes, count);
  }

  /** A slab at once, or `undefined`: for reading ahead, which must never make others wait. */
  tryAcquire(bytes: number): Slab | undefined {
    const [segmentBytes, count] = layout(bytes);
    return this.budget.tryAcquire(segmentBytes * count) ? this.#build(segmentBytes, count) : undefined;
  }

  #build(segmentBytes: number, count: number): Slab {
    const free = this.#free.get(segmentBytes) ?? [];
    const segments = Array.from({ length: count }, () => free.pop() ?? this.#allocate(segmentBytes));
    return new Slab(segments, segmentBytes, segmentBytes * count, () => {
      free.push(...segments);
      this.budget.release(segmentBytes * count);
    });
  }

  #allocate(segmentBytes: number): Segment {
    // Free segments of the other size are memory too: they go before the pool outgrows its budget.
    const others = this.#free.get(segmentBytes === SMALL_BYTES ? LARGE_BYTES : SMALL_BYTES) ?? [];
    while (this.#allocatedBytes + segmentBytes > this.budget.capacityBytes && others.length > 0) {
      this.#allocatedBytes -= others.pop()?.shared.byteLength ?? 0;
    }
    this.#allocatedBytes += segmentBytes;
    return { shared: new SharedArrayBuffer(segmentBytes) };
  }
}

function layout(bytes: number): [segmentBytes: number, count: number] {
  const segmentBytes = bytes <= SMALL_LIMIT_BYTES ? SMALL_BYTES : LARGE_BYTES;
  return [segmentBytes, Math.max(1, Math.ceil(bytes / segmentBytes))];
}
