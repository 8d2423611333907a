import { KlosetError } from '../errors.ts';
import type { Hasher } from '../workers/hasher.ts';
import { SlabPool } from '../workers/slabs.ts';
import { FilePayload } from './filePayload.ts';
import type { IncomingObject } from './incomingObject.ts';
import { Intake } from './intake.ts';
import type { Payload } from './payload.ts';
import { readInto } from './readInto.ts';
import { residentPayload } from './residentPayload.ts';
import { sliceRange } from './sliceRange.ts';
import { type ByteReader, type ByteSource, isFileReader } from './source.ts';
import { type Region, WindowedPayload } from './windowedPayload.ts';
import { WindowPool } from './windowPool.ts';

const MIB = 1024 * 1024;
const MIN_MEMORY_BYTES = 32 * MIB;
// What a push needs beside its slabs: two hash threads, the heap, the sockets' buffers. Measured, see docs.
const OVERHEAD_BYTES = 96 * MIB;
/** Plakar's packfiles are at most 64 MiB: those are hashed first and sent in one body, longer ones in chunks. */
export const WHOLE_LIMIT_BYTES = 64 * MIB;
/** Locks, states, configuration: they have memory and places of their own, so that none waits for packfiles. */
export const SMALL_BYTES = MIB;
/**
 * Files up to it are read into memory, hashed and sent from there: a message to a hash thread would cost more. Longer
 * ones are hashed where they are read: 256 of 1 MiB took 1.2 s through sixteen segments each, and take 0.9 s.
 */
const SMALL_FILE_BYTES = 256 * 1024;
const SMALL_POOL_BYTES = 8 * MIB;
// A lock is a few hundred bytes: room for as many as there are segments.
const URGENT_POOL_BYTES = MIB;
// Packfiles are read in pieces of this length: smaller ones cost calls, larger ones waste the end of the last.
const SEGMENT_BYTES = 4 * MIB;
const SMALL_SEGMENT_BYTES = 64 * 1024;

/** What a payload may depend on beside its bytes. */
export interface PayloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Digest of the whole source as `sha256:<hex>`, where the caller has computed it already. */
  readonly digest?: string | undefined;
  /** Takes no memory that others wait for. */
  readonly urgent?: boolean | undefined;
}

/** The memory of a coordinator, and the form in which each source goes through it. */
export class Payloads {
  /** Length up to which a source that is no file is kept in memory, in bytes. */
  readonly residentBytes: number;
  readonly #hasher: Hasher;
  readonly #slabs: SlabPool;
  readonly #smallSlabs = new SlabPool(SMALL_POOL_BYTES, SMALL_SEGMENT_BYTES);
  readonly #urgentSlabs = new SlabPool(URGENT_POOL_BYTES, SMALL_SEGMENT_BYTES);
  readonly #windows = new WindowPool();
  readonly #intake: Intake;

  /** @param memoryBytes bound of all memory above that of an idle process, in bytes */
  constructor(memoryBytes: number, hasher: Hasher) {
    const bound = Math.max(memoryBytes, MIN_MEMORY_BYTES);
    this.#hasher = hasher;
    this.#slabs = new SlabPool(Math.max(bound - OVERHEAD_BYTES, Math.floor(bound / 3)), SEGMENT_BYTES);
    // Half of the memory, so that one large object never keeps all others from starting.
    const halfBytes = Math.floor(this.#slabs.maxSlabBytes / 2);
    this.residentBytes = Math.min(WHOLE_LIMIT_BYTES, halfBytes);
    this.#intake = new Intake(this.#slabs, halfBytes, SEGMENT_BYTES, hasher);
  }

  /** Most memory that slabs and windows took, in bytes. */
  get peakBytes(): number {
    const pools = [this.#slabs, this.#smallSlabs, this.#urgentSlabs];
    return pools.reduce((sum, { budget }) => sum + budget.peakBytes, this.#windows.peakBytes);
  }

  /** An object that arrives piece by piece, into memory from which it is sent without a copy. */
  receive(): IncomingObject {
    // The threads take a tenth of a second to start, and the first object to arrive is a small one: a lock.
    this.#hasher.provider().catch(() => {});
    return this.#intake.receive();
  }

  /** Whether a source is hashed before its first byte is sent. */
  hashesFirst(source: ByteSource): boolean {
    const bytes = source.sizeBytes ?? Number.POSITIVE_INFINITY;
    // What is small is read once, and hashed in memory: opening a file twice costs more than the hash.
    return source.rereadable && bytes > SMALL_BYTES && bytes <= WHOLE_LIMIT_BYTES;
  }

  /** The payload of a region of known length; waits for memory where it takes some. */
  async of(
    source: ByteSource,
    reader: ByteReader,
    region: Region,
    options: PayloadOptions,
  ): Promise<Payload> {
    const bytes = region.sizeBytes ?? 0;
    const { slices, digest } = source.held ?? {};
    if (slices) {
      const whole = bytes === source.sizeBytes;
      const part = sliceRange(slices, region.start, bytes);
      return residentPayload(part, bytes, this.#hasher, () => {}, whole ? digest : undefined);
    }
    if (bytes > this.residentBytes || (isFileReader(reader) && bytes > SMALL_FILE_BYTES)) {
      return this.unkept(source, reader, region, options.digest);
    }
    const slab = await this.#poolFor(bytes, options.urgent).acquire(bytes, options.signal);
    try {
      await fill(slab.views(bytes), source, reader, region.start, bytes);
      return residentPayload(slab.slices(bytes), bytes, this.#hasher, () => slab.release());
    } catch (error) {
      slab.release();
      throw error;
    }
  }

  /** A payload that is never in memory as a whole. */
  unkept(source: ByteSource, reader: ByteReader, region: Region, digest?: string): Payload {
    if (!isFileReader(reader) || region.sizeBytes === undefined) {
      return new WindowedPayload(source, reader, region, this.#slabs, this.#hasher);
    }
    const whole = region.start === 0 && region.sizeBytes === source.sizeBytes;
    return new FilePayload(
      source.name,
      reader,
      { start: region.start, sizeBytes: region.sizeBytes },
      this.#windows,
      this.#hasher,
      { wholeLimitBytes: WHOLE_LIMIT_BYTES, digest: whole ? digest : undefined },
    );
  }

  #poolFor(bytes: number, urgent = false): SlabPool {
    if (urgent && bytes <= this.#urgentSlabs.maxSlabBytes) return this.#urgentSlabs;
    return bytes <= SMALL_BYTES ? this.#smallSlabs : this.#slabs;
  }
}

async function fill(
  views: readonly Uint8Array[],
  source: ByteSource,
  reader: ByteReader,
  start: number,
  bytes: number,
): Promise<void> {
  const got = await readInto(reader, views, start);
  if (got === bytes) return;
  throw new KlosetError('SOURCE_CHANGED', `ended at byte ${start + got}, before its declared size`, {
    object: source.name,
    remedy: 'Push it again once nothing writes to it.',
  });
}
