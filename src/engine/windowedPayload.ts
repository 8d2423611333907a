import { cancelled, KlosetError } from '../errors.ts';
import type { Hasher, HashLane } from '../workers/hasher.ts';
import { LaneLostError } from '../workers/hashPool.ts';
import type { SharedSlice, Slab, SlabPool } from '../workers/slabs.ts';
import { bodyOf, type Chunk, type Payload } from './payload.ts';
import { readInto } from './readInto.ts';
import { shrunk } from './shrunk.ts';
import { sliceRange } from './sliceRange.ts';
import type { ByteReader, ByteSource } from './source.ts';

/** A part of a source that is a blob of its own. */
export interface Region {
  readonly start: number;
  /** Length in bytes, or `undefined` for "up to the end of the source, at most `limitBytes`". */
  readonly sizeBytes: number | undefined;
  readonly limitBytes: number;
}

// Window of the passes that only hash or only send; two of them alternate.
const WINDOW_BYTES = 4 * 1024 * 1024;

/** A blob that is larger than what may be in memory: chunks are read, hashed and sent one after the other. */
export class WindowedPayload implements Payload {
  readonly prefersWhole = false;
  readonly replayable: boolean;
  readonly #source: ByteSource;
  readonly #reader: ByteReader;
  readonly #region: Region;
  readonly #slabs: SlabPool;
  readonly #hasher: Hasher;
  #sizeBytes: number | undefined;
  #lane: Promise<HashLane> | undefined;
  #digest: string | undefined;
  #disposed = false;
  #hashedBytes = 0;
  /** Hashing goes in order of the bytes, one chunk at a time. */
  #hashing: Promise<void> = Promise.resolve();
  #ahead: { readonly offset: number; readonly maxBytes: number; readonly chunk: Promise<Chunk> } | undefined;
  readonly #held = new Set<Slab>();

  constructor(source: ByteSource, reader: ByteReader, region: Region, slabs: SlabPool, hasher: Hasher) {
    this.#source = source;
    this.#reader = reader;
    this.#region = region;
    this.#slabs = slabs;
    this.#hasher = hasher;
    this.#sizeBytes = region.sizeBytes;
    this.replayable = source.rereadable;
  }

  get sizeBytes(): number | undefined {
    return this.#sizeBytes;
  }

  async load(offset: number, maxBytes: number, signal?: AbortSignal): Promise<Chunk> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead?.offset === offset && ahead.maxBytes === maxBytes) return ahead.chunk;
    if (ahead) (await ahead.chunk).release();
    const slab = await this.#slabs.acquire(this.#wanted(offset, maxBytes), signal);
    return this.#fill(slab, offset, maxBytes);
  }

  loadAhead(offset: number, maxBytes: number): void {
    if (this.#ahead || this.#wanted(offset, maxBytes) <= 0) return;
    const slab = this.#slabs.tryAcquire(this.#wanted(offset, maxBytes));
    if (!slab) return;
    const chunk = this.#fill(slab, offset, maxBytes);
    chunk.catch(() => {});
    this.#ahead = { offset, maxBytes, chunk };
  }

  async digest(signal?: AbortSignal): Promise<string> {
    // A lane gives its digest once; an upload that starts over after its commit asks again.
    this.#digest ??= await this.#finishDigest(signal);
    return this.#digest;
  }

  async #finishDigest(signal: AbortSignal | undefined): Promise<string> {
    await this.#hashing;
    if (this.#sizeBytes === undefined || this.#hashedBytes < this.#sizeBytes) await this.#hashRest(signal);
    try {
      return await (await this.#openLane()).digest();
    } catch (error) {
      await this.#recoverLane(error, signal);
      return (await this.#openLane()).digest();
    } finally {
      this.#lane = undefined;
    }
  }

  whole(): { bytes: number; slices: () => AsyncIterable<Uint8Array> } {
    const bytes = this.#sizeBytes;
    if (bytes === undefined || !this.replayable)
      throw new Error('only a replayable payload has a whole body');
    return { bytes, slices: () => this.#stream(bytes) };
  }

  async verifyUnchanged(): Promise<void> {
    // Sources that only can be read once cannot be read differently a second time.
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#lane?.then(
      (lane) => lane.drop(),
      () => {},
    );
    this.#ahead?.chunk.catch(() => {});
    for (const slab of this.#held) slab.release();
    this.#held.clear();
  }

  #wanted(offset: number, maxBytes: number): number {
    const end = this.#sizeBytes ?? this.#region.limitBytes;
    return Math.max(0, Math.min(maxBytes, end - offset));
  }

  async #fill(slab: Slab, offset: number, maxBytes: number): Promise<Chunk> {
    const release = () => {
      this.#held.delete(slab);
      slab.release();
    };
    try {
      const wanted = this.#wanted(offset, maxBytes);
      const bytes = await readInto(this.#reader, slab.views(wanted), this.#region.start + offset);
      // Held, and so released by dispose, only from here on: memory that is still read into must not be given away.
      if (this.#disposed) throw cancelled();
      this.#held.add(slab);
      if (bytes < wanted && this.#region.sizeBytes !== undefined) throw shrunk(this.#source.name);
      if (bytes < wanted || offset + bytes === this.#region.limitBytes) this.#sizeBytes ??= offset + bytes;
      const views = slab.views(bytes);
      this.#hashing = this.#hashing.then(() => this.#hash(slab.slices(bytes), offset, bytes));
      const hashed = this.#hashing;
      hashed.catch(() => {});
      return {
        offset,
        bytes,
        last: this.#sizeBytes === offset + bytes,
        body: (skip) => bodyOf(views, skip),
        // A slab that is read into again while a worker still hashes it would hash the wrong bytes.
        release: () => void hashed.then(release, release),
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #hash(slices: readonly SharedSlice[], offset: number, bytes: number): Promise<void> {
    // Sent again after a restart, perhaps cut differently: only what is new to the hash.
    if (offset + bytes <= this.#hashedBytes) return;
    const skip = this.#hashedBytes - offset;
    try {
      await (await this.#openLane()).update(sliceRange(slices, skip));
    } catch (error) {
      await this.#recoverLane(error);
      await this.#hashUpTo(offset);
      // Where the chunk was hashed in part before, it is again by now.
      await (await this.#openLane()).update(sliceRange(slices, this.#hashedBytes - offset));
    }
    this.#hashedBytes = offset + bytes;
  }

  #openLane(): Promise<HashLane> {
    this.#lane ??= this.#hasher.lane(this.replayable);
    return this.#lane;
  }

  /** A native lane's state died with its worker: read and hash from the start, where that is possible. */
  async #recoverLane(error: unknown, signal?: AbortSignal): Promise<void> {
    if (!(error instanceof LaneLostError)) throw error;
    if (!this.replayable) {
      throw new KlosetError('WORKER_FAILED', 'a hash worker died, and the stream cannot be read again', {
        object: this.#source.name,
        remedy: 'Use --hasher auto or wasm for streams: their hash state survives a worker.',
        cause: error,
      });
    }
    const hashed = this.#hashedBytes;
    this.#lane = undefined;
    this.#hashedBytes = 0;
    await this.#hashUpTo(hashed, signal);
  }

  async #hashRest(signal: AbortSignal | undefined): Promise<void> {
    const slab = await this.#slabs.acquire(WINDOW_BYTES, signal);
    try {
      const [window] = slab.slices(Math.min(WINDOW_BYTES, slab.capacityBytes));
      await this.#hashUpTo(this.#sizeBytes, signal, window);
    } finally {
      slab.release();
    }
  }

  /** Reads and hashes on to `end`, or to the end of the stream, through one window. */
  async #hashUpTo(end: number | undefined, signal?: AbortSignal, window?: SharedSlice): Promise<void> {
    // Without a window from the budget: waiting for one while a chunk is held could block for ever. One is made
    // then, once; one per read has cost gigabytes, since shared memory is collected late.
    const { shared, offset, length } = window ?? {
      shared: new SharedArrayBuffer(WINDOW_BYTES),
      offset: 0,
      length: WINDOW_BYTES,
    };
    while (end === undefined || this.#hashedBytes < end) {
      signal?.throwIfAborted();
      const want = Math.min(length, (end ?? Number.POSITIVE_INFINITY) - this.#hashedBytes);
      const view = new Uint8Array(shared, offset, want);
      const bytes = await readInto(this.#reader, [view], this.#region.start + this.#hashedBytes);
      if (bytes < want && end !== undefined) throw shrunk(this.#source.name);
      await (await this.#openLane()).update([{ shared, offset, length: bytes }]);
      this.#hashedBytes += bytes;
      if (bytes < want) {
        this.#sizeBytes ??= this.#hashedBytes;
        return;
      }
    }
  }

  async *#stream(size: number): AsyncGenerator<Uint8Array, void, void> {
    const windows = [new Uint8Array(WINDOW_BYTES), new Uint8Array(WINDOW_BYTES)];
    for (let at = 0, turn = 0; at < size; turn ^= 1) {
      const window = windows[turn]?.subarray(0, Math.min(WINDOW_BYTES, size - at)) ?? new Uint8Array();
      const bytes = await readInto(this.#reader, [window], this.#region.start + at);
      if (bytes < window.length) throw shrunk(this.#source.name);
      yield window;
      at += bytes;
    }
  }
}
