import { KlosetError } from '../errors.ts';
import { FileHashError, type Hasher, type HashLane } from '../workers/hasher.ts';
import { LaneLostError } from '../workers/hashPool.ts';
import type { Chunk, Payload } from './payload.ts';
import { shrunk } from './shrunk.ts';
import type { FileReader } from './source.ts';
import type { WindowPool } from './windowPool.ts';

/** Part of a file that is a blob of its own. */
export interface FileRegion {
  readonly start: number;
  readonly sizeBytes: number;
}

// A task is not interrupted by others: one of this length holds a hash thread for 20 to 130 ms.
const PIECE_BYTES = 32 * 1024 * 1024;
const MAX_LANES = 4;

/**
 * A blob in a file. The hash threads read the file for themselves; what is sent is read again, through windows that
 * stay in the processor's cache. Reading twice costs less than keeping: 20 MiB that are read into memory once, to be
 * hashed and sent from there, go through the caches of the processor three times.
 */
export class FilePayload implements Payload {
  readonly replayable = true;
  readonly prefersWhole: boolean;
  readonly sizeBytes: number;
  readonly #name: string;
  readonly #reader: FileReader;
  readonly #start: number;
  readonly #windows: WindowPool;
  readonly #hasher: Hasher;
  readonly #stop = new SharedArrayBuffer(4);
  #digest: Promise<string> | undefined;
  #lane: Promise<HashLane> | undefined;
  #hashedBytes = 0;
  /** Hashing goes in order of the bytes, one piece at a time. */
  #hashing: Promise<void> = Promise.resolve();

  /**
   * @param wholeLimitBytes length up to which the blob is best hashed beforehand and sent in one body
   * @param digest the digest, where it is known already
   */
  constructor(
    name: string,
    reader: FileReader,
    region: FileRegion,
    windows: WindowPool,
    hasher: Hasher,
    options: { readonly wholeLimitBytes: number; readonly digest?: string | undefined },
  ) {
    this.#name = name;
    this.#reader = reader;
    this.#start = region.start;
    this.sizeBytes = region.sizeBytes;
    this.#windows = windows;
    this.#hasher = hasher;
    this.prefersWhole = region.sizeBytes <= options.wholeLimitBytes;
    if (options.digest !== undefined) this.#digest = Promise.resolve(options.digest);
    // While others are being sent: a hash thread that waits is a processor that waits.
    else if (this.prefersWhole) this.digest().catch(() => {});
  }

  async load(offset: number, maxBytes: number): Promise<Chunk> {
    const bytes = Math.min(maxBytes, this.sizeBytes - offset);
    // In step with what is sent, so that the page cache serves both reads of a file larger than memory.
    if (!this.#digest) this.#hashUpTo(offset + bytes).catch(() => {});
    return {
      offset,
      bytes,
      last: offset + bytes === this.sizeBytes,
      body: (skip = 0) => ({ bytes: bytes - skip, slices: () => this.#stream(offset + skip, bytes - skip) }),
      release: () => {},
    };
  }

  loadAhead(): void {
    // The system reads ahead.
  }

  digest(): Promise<string> {
    this.#digest ??= this.#computeDigest().catch((error) => Promise.reject(this.#named(error)));
    return this.#digest;
  }

  whole(): { bytes: number; slices: () => Iterable<Uint8Array> } {
    return { bytes: this.sizeBytes, slices: () => this.#stream(0, this.sizeBytes) };
  }

  verifyUnchanged(): Promise<void> {
    return this.#reader.verifyUnchanged();
  }

  async dispose(): Promise<void> {
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    // The descriptor is about to be closed, and its number to be given to another file.
    await Promise.allSettled([this.#hashing, this.#digest]);
    const lane = await this.#lane?.catch(() => undefined);
    lane?.drop();
  }

  async #computeDigest(): Promise<string> {
    if (this.#hashedBytes === 0 && this.#lane === undefined && this.sizeBytes <= 2 * PIECE_BYTES) {
      return this.#hasher.digest(this.#range(0, this.sizeBytes));
    }
    await this.#hashUpTo(this.sizeBytes);
    return this.#onLane((lane) => lane.digest());
  }

  #hashUpTo(end: number): Promise<void> {
    const hashing = this.#hashing.then(async () => {
      while (this.#hashedBytes < end) await this.#hashPiece(Math.min(PIECE_BYTES, end - this.#hashedBytes));
    });
    this.#hashing = hashing;
    hashing.catch(() => {});
    return hashing;
  }

  async #hashPiece(bytes: number): Promise<void> {
    await this.#onLane((lane) => lane.update(this.#range(this.#hashedBytes, bytes)));
    this.#hashedBytes += bytes;
  }

  /** Runs a step on the lane; a native lane's state dies with its worker, and is made again from the file. */
  async #onLane<T>(step: (lane: HashLane) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#lane ??= this.#openLane();
        return await step(await this.#lane);
      } catch (error) {
        if (!(error instanceof LaneLostError)) throw error;
        this.#lane = undefined;
        if (attempt >= MAX_LANES) {
          throw new KlosetError('WORKER_FAILED', 'the hash workers died one after the other', {
            object: this.#name,
            tried: `${attempt} workers`,
            cause: error,
          });
        }
      }
    }
  }

  async #openLane(): Promise<HashLane> {
    const lane = await this.#hasher.lane(true);
    for (let at = 0; at < this.#hashedBytes; at += PIECE_BYTES) {
      await lane.update(this.#range(at, Math.min(PIECE_BYTES, this.#hashedBytes - at)));
    }
    return lane;
  }

  #range(offset: number, length: number) {
    return { fd: this.#reader.fd, offset: this.#start + offset, length, stop: this.#stop };
  }

  #stream(offset: number, bytes: number): Iterable<Uint8Array> {
    return this.#windows.stream(this.#reader, this.#start + offset, bytes);
  }

  #named(error: unknown): unknown {
    if (!(error instanceof FileHashError)) return error;
    if (error.reason === 'SHORT') return shrunk(this.#name);
    return new KlosetError('SOURCE_UNREADABLE', `cannot be read (${error.reason})`, {
      object: this.#name,
      remedy: 'Check the disk.',
    });
  }
}
