import type { PlaceBytes } from '../registry/transport.ts';
import type { HashLane } from '../workers/hasher.ts';
import type { Slab, SlabPool } from '../workers/slabs.ts';
import { intoRoom } from './intoRoom.ts';

/** A file, and where in it a blob begins. */
interface FileStart {
  readonly fd: number;
  readonly offset: number;
}

/**
 * A blob on its way into a file, through windows of shared memory: the socket reads into one while a hash thread hashes
 * another and writes it. The main thread touches no byte, and no copy is made.
 */
export class BlobFile {
  readonly #bytes: number;
  readonly #windowBytes: number;
  readonly #pool: SlabPool;
  readonly #lane: HashLane;
  readonly #file: FileStart;
  readonly #signal: AbortSignal | undefined;
  readonly #windows = new Map<number, Slab>();
  readonly #coming = new Map<number, Promise<void>>();
  #taken = 0;
  /** Hashing and writing, in order. */
  #work: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #closed = false;

  /** @param signal ends the wait for memory */
  constructor(
    bytes: number,
    pool: SlabPool,
    lane: HashLane,
    file: FileStart,
    signal: AbortSignal | undefined,
  ) {
    this.#bytes = bytes;
    this.#windowBytes = pool.segmentBytes;
    this.#pool = pool;
    this.#lane = lane;
    this.#file = file;
    this.#signal = signal;
  }

  /** Memory for the bytes from `at` on, which is of no use to anybody after the bytes were taken. */
  readonly place: PlaceBytes = (at) => {
    const index = Math.floor(at / this.#windowBytes);
    const slab = this.#windows.get(index);
    return slab ? this.#viewOf(slab, index, at) : this.#open(index);
  };

  /** Takes the next bytes of the blob. @throws what hashing and writing those before has failed with */
  async take(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      if (this.#failure) throw this.#failure.error;
      const index = Math.floor(this.#taken / this.#windowBytes);
      const slab = this.#windows.get(index);
      if (!slab) {
        await this.#open(index);
        continue;
      }
      const room = this.#viewOf(slab, index, this.#taken);
      const part = intoRoom(room, chunk, done);
      done += part;
      this.#taken += part;
      if (part === room.length) this.#write(index, slab);
    }
  }

  /** The digest of what was taken, all of it being in the file. */
  async finish(): Promise<string> {
    await this.#work;
    if (this.#failure) throw this.#failure.error;
    return this.#lane.digest();
  }

  /** Gives the memory back. Nobody may be reading into it any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#work;
    for (const slab of this.#windows.values()) slab.release();
    this.#windows.clear();
    if (this.#failure || this.#taken < this.#bytes) this.#lane.drop();
  }

  #viewOf(slab: Slab, index: number, at: number): Uint8Array {
    const start = index * this.#windowBytes;
    const [view] = slab.views(Math.min(this.#windowBytes, this.#bytes - start));
    return (view as Uint8Array).subarray(at - start);
  }

  #open(index: number): Promise<void> {
    let coming = this.#coming.get(index);
    if (!coming) {
      coming = this.#acquire(index).finally(() => this.#coming.delete(index));
      this.#coming.set(index, coming);
    }
    return coming;
  }

  async #acquire(index: number): Promise<void> {
    const slab = await this.#pool.acquire(this.#windowBytes, this.#signal);
    if (this.#closed) slab.release();
    else this.#windows.set(index, slab);
  }

  #write(index: number, slab: Slab): void {
    this.#windows.delete(index);
    const start = index * this.#windowBytes;
    const { fd, offset } = this.#file;
    const slices = slab.slices(Math.min(this.#windowBytes, this.#bytes - start));
    this.#work = this.#work
      .then(() => (this.#failure ? undefined : this.#lane.update(slices, { fd, offset: offset + start })))
      .catch((error) => {
        this.#failure ??= { error };
      })
      .finally(() => slab.release());
  }
}
