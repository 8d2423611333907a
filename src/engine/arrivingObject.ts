import type { SharedSlice, Slab } from '../workers/slabs.ts';
import type { ArrivalHash } from './arrivalHash.ts';
import type { IncomingObject } from './incomingObject.ts';
import type { IntakeMemory } from './intake.ts';
import { sliceRange, viewsOf } from './sliceRange.ts';
import type { ByteReader, ByteSource } from './source.ts';
import { SpillFile } from './spillFile.ts';

// Credit that an object on its way to a file is given at a time.
const SPILL_ROOM_BYTES = 4 * 1024 * 1024;

/** An object that arrives into shared memory, and into a file once it is longer than memory allows. */
export class ArrivingObject implements IncomingObject {
  readonly #memory: IntakeMemory;
  readonly #limitBytes: number;
  readonly #hash: ArrivalHash;
  #slabs: Slab[] = [];
  #pieces: SharedSlice[];
  /** Capacity of all pieces, in bytes. */
  #capacityBytes: number;
  #writtenBytes = 0;
  /** Where the next byte goes: a piece, and a place in it. */
  #piece = 0;
  #offset = 0;
  #spill: SpillFile | undefined;
  #state: 'open' | 'finished' | 'discarded' = 'open';

  /** @param limitBytes length up to which the object is kept in memory */
  constructor(memory: IntakeMemory, limitBytes: number, hash: ArrivalHash) {
    const first = memory.takeFirst();
    this.#memory = memory;
    this.#limitBytes = limitBytes;
    this.#hash = hash;
    this.#pieces = [first];
    this.#capacityBytes = first.length;
  }

  get roomBytes(): number {
    return this.#capacityBytes - this.#writtenBytes;
  }

  async grow(signal?: AbortSignal): Promise<number> {
    this.#mustBe('open');
    if (this.#spill || this.#capacityBytes >= this.#limitBytes) {
      this.#spill ??= SpillFile.open();
      this.#capacityBytes += SPILL_ROOM_BYTES;
      return SPILL_ROOM_BYTES;
    }
    const slab = await this.#memory.grow(this, signal);
    if (this.#state !== 'open') {
      slab.release();
      this.#mustBe('open');
    }
    this.#slabs.push(slab);
    this.#pieces.push(...slab.slices(slab.capacityBytes));
    this.#capacityBytes += slab.capacityBytes;
    return slab.capacityBytes;
  }

  write(bytes: Uint8Array): void {
    this.#mustBe('open');
    if (bytes.length > this.roomBytes)
      throw new RangeError(`expected at most ${this.roomBytes} bytes, got ${bytes.length}`);
    let at = 0;
    while (at < bytes.length) {
      const piece = this.#pieces[this.#piece];
      if (!piece) {
        this.#spillTo().append(bytes.subarray(at));
        break;
      }
      const length = Math.min(bytes.length - at, piece.length - this.#offset);
      new Uint8Array(piece.shared, piece.offset + this.#offset, length).set(bytes.subarray(at, at + length));
      at += length;
      this.#offset += length;
      if (this.#offset === piece.length) {
        this.#hash.add([piece]);
        this.#piece++;
        this.#offset = 0;
      }
    }
    this.#writtenBytes += bytes.length;
  }

  finish(name: string): ByteSource {
    this.#mustBe('open');
    this.#state = 'finished';
    this.#memory.settled(this);
    if (this.#pieces.length === 0) {
      return this.#spillTo().source(name, this.#writtenBytes, () => this.discard());
    }
    // Room beyond memory may have been asked for and never used.
    this.#spill?.remove();
    const sizeBytes = this.#writtenBytes;
    const slices = sliceRange(this.#pieces, 0, sizeBytes);
    const digest = this.#piece > 0 ? this.#finishHash(slices) : undefined;
    return {
      name,
      sizeBytes,
      rereadable: true,
      held: { release: () => this.discard(), slices, digest },
      open: async () => readerOf(slices),
    };
  }

  discard(): void {
    if (this.#state === 'discarded') return;
    this.#state = 'discarded';
    this.#memory.settled(this);
    this.#hash.drop();
    this.#giveBack();
    this.#spill?.remove();
  }

  /** What fits into the first piece is hashed when it is sent: a lane would cost more than the hash. */
  #finishHash(slices: readonly SharedSlice[]): Promise<string | undefined> {
    if (this.#offset > 0) this.#hash.add(slices.slice(this.#piece));
    return this.#hash.digest();
  }

  /** The file. What was in memory, which is full by then, goes into it first. */
  #spillTo(): SpillFile {
    this.#spill ??= SpillFile.open();
    this.#hash.drop();
    for (const view of viewsOf(this.#pieces)) this.#spill.append(view);
    this.#giveBack();
    return this.#spill;
  }

  #giveBack(): void {
    for (const slab of this.#slabs) slab.release();
    this.#slabs = [];
    const [first] = this.#pieces;
    if (first) this.#memory.giveFirst(first);
    this.#pieces = [];
    this.#piece = 0;
  }

  #mustBe(state: 'open'): void {
    if (this.#state !== state) throw new Error(`expected an ${state} object, got a ${this.#state} one`);
  }
}

function readerOf(slices: readonly SharedSlice[]): ByteReader {
  return {
    read: async (into, position) => {
      let filled = 0;
      for (const view of viewsOf(sliceRange(slices, position, into.length))) {
        into.set(view, filled);
        filled += view.length;
      }
      return filled;
    },
    verifyUnchanged: async () => {},
    close: async () => {},
  };
}
