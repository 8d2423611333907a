import PQueue from 'p-queue';
import { cancelled, type KlosetError, throwIfAborted } from '../errors.ts';
import type { Exchange } from '../registry/exchange.ts';
import type { UploadMode } from '../registry/profiles.ts';
import { Hasher, type HasherChoice } from '../workers/hasher.ts';
import { SlabPool } from '../workers/slabs.ts';
import { uploadBlob } from './blobUpload.ts';
import { HostMemory } from './hostMemory.ts';
import type { IncomingObject } from './incomingObject.ts';
import type { BlobJournal } from './journal/blobJournal.ts';
import type { Journals } from './journal/journals.ts';
import type { Payload } from './payload.ts';
import { type PayloadOptions, Payloads, SMALL_BYTES, WHOLE_LIMIT_BYTES } from './payloads.ts';
import { type ByteReader, type ByteSource, isFileReader } from './source.ts';
import { spool } from './spool.ts';
import type { UploadedBlob } from './uploadAttempt.ts';
import type { Region } from './windowedPayload.ts';

/** Settings of the engine. */
export interface EngineOptions {
  /** Blobs under way at once. More than the memory holds wait for it. @default 16, or 64 of up to 1 MiB */
  concurrency?: number | undefined;
  /** Bound of the memory above that of an idle process, in bytes; at least 32 MiB. @default 268435456 */
  memoryBytes?: number | undefined;
  /** Size of a chunk in bytes, where a blob is sent in chunks; otherwise it is found out. */
  chunkBytes?: number | undefined;
  /** @default 'auto' */
  uploadMode?: UploadMode | undefined;
  /** @default 'auto' */
  hasher?: HasherChoice | undefined;
  /** Length of a blob above which an object is stored as several, in bytes. @default 1073741824 */
  partBytes?: number | undefined;
  /** Where journals of pushes are kept, so that the next process continues one that was killed; none when absent. */
  journalFolder?: string | undefined;
  /** Told about journals that cannot be kept or used, in words for people. */
  readonly onRemark?: ((text: string) => void) | undefined;
}

/** Where the blobs of a push go, and what makes them an object. */
export interface BlobSink {
  readonly exchange: Exchange;
  /** The tag that the object gets, by which a later run knows it again; absent for what no journal is kept of. */
  readonly tag?: string | undefined;
  /** Called when every blob is stored and the source was found unchanged; makes the object visible. */
  commit(blobs: readonly UploadedBlob[], signal?: AbortSignal): Promise<void>;
}

/** What a push takes beside source and sink. */
export interface PushOptions extends PayloadOptions {
  readonly onSent?: ((bytes: number) => void) | undefined;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
  /** Told when a blob is continued, with the bytes that an earlier run has sent. */
  readonly onResumed?: ((bytes: number) => void) | undefined;
  /**
   * Takes neither a place in a queue nor memory that other pushes wait for. For the few objects that others look at
   * the clock for: a lock that is refreshed late counts as abandoned.
   */
  readonly urgent?: boolean | undefined;
}

const MIB = 1024 * 1024;
const DEFAULT_MEMORY_BYTES = 256 * MIB;
const DEFAULT_PART_BYTES = 1024 * MIB;
/** Enough for one task of the hash threads to be worth its message, and small enough to be read while it is warm. */
const WINDOW_BYTES = MIB;
/** Two windows for each of 16 objects: one that is filled, and one that is hashed and written. */
const MOST_WINDOW_BYTES = 32 * MIB;
/** Default of {@link EngineOptions.concurrency}. */
export const DEFAULT_CONCURRENCY = 16;
/**
 * The same for blobs of up to {@link SMALL_BYTES}, each of which is three requests one after the other and hardly any
 * bytes: at 50 ms sixteen at once are a hundred a second. Flow control has the say on requests (flow/concurrencyWindow.ts).
 */
export const SMALL_CONCURRENCY = 64;

/** Pushes sources to sinks, many at once, within a memory budget. */
export class Coordinator {
  readonly hasher: Hasher;
  readonly uploadMode: UploadMode;
  readonly #payloads: Payloads;
  readonly #queue: PQueue;
  readonly #smallQueue: PQueue;
  readonly #chunkBytes: number | undefined;
  readonly #partBytes: number;
  readonly #hosts = new Map<string, HostMemory>();
  readonly #journals: (() => Promise<Journals>) | undefined;
  readonly #memoryBytes: number;
  #windows: SlabPool | undefined;

  constructor(options: EngineOptions = {}) {
    const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
    this.hasher = new Hasher({ choice: options.hasher ?? 'auto' });
    this.uploadMode = options.uploadMode ?? 'auto';
    this.#memoryBytes = options.memoryBytes ?? DEFAULT_MEMORY_BYTES;
    this.#payloads = new Payloads(this.#memoryBytes, this.hasher);
    this.#queue = new PQueue({ concurrency });
    this.#smallQueue = new PQueue({ concurrency: options.concurrency ?? SMALL_CONCURRENCY });
    this.#chunkBytes = options.chunkBytes;
    this.#partBytes = options.partBytes ?? DEFAULT_PART_BYTES;
    const { journalFolder: folder, onRemark } = options;
    if (folder !== undefined) this.#journals = openJournals(folder, onRemark);
  }

  /** Memory for objects on their way from a registry into files: a part of the budget, in windows of a mebibyte. */
  get windows(): SlabPool {
    this.#windows ??= new SlabPool(Math.min(MOST_WINDOW_BYTES, this.#memoryBytes / 4), WINDOW_BYTES);
    return this.#windows;
  }

  /** What was learned about the registry at an origin. */
  host(origin: string): HostMemory {
    let host = this.#hosts.get(origin);
    if (!host) {
      host = new HostMemory();
      this.#hosts.set(origin, host);
    }
    return host;
  }

  /** Most memory that payloads took, in bytes. */
  get peakPayloadBytes(): number {
    return this.#payloads.peakBytes;
  }

  /**
   * Uploads a source as one or several blobs and commits them. Rejects with what went wrong first; nothing is
   * visible then, and no upload session is left open.
   */
  async push(
    source: ByteSource,
    sink: BlobSink,
    options: PushOptions = {},
  ): Promise<readonly UploadedBlob[]> {
    const run = async () => {
      throwIfAborted(options.signal);
      await this.host(sink.exchange.reference.origin).ready();
      const reader = await source.open(options.signal);
      try {
        const blobs = await this.#uploadParts(source, reader, sink, options);
        await reader.verifyUnchanged();
        throwIfAborted(options.signal);
        await sink.commit(blobs, options.signal);
        if (sink.tag !== undefined) await (await this.#journals?.())?.committed(sink.exchange, sink.tag);
        return blobs;
      } finally {
        await reader.close();
      }
    };
    if (options.urgent) return run();
    const small = source.sizeBytes !== undefined && source.sizeBytes <= SMALL_BYTES;
    return (small ? this.#smallQueue : this.#queue).add(run);
  }

  /** An object that arrives piece by piece, into memory from which a push sends it without a copy. */
  receive(): IncomingObject {
    return this.#payloads.receive();
  }

  /** Where the way of a blob is noted that is sent without a push; absent where no journals are kept. */
  async journalOf(exchange: Exchange, tag: string, bytes: number): Promise<BlobJournal | undefined> {
    return (await this.#journals?.())?.blob(exchange, { start: 0, bytes, tag });
  }

  /** Digest and length of each blob that a push of the source to an origin would make, without sending anything. */
  async digest(source: ByteSource, origin: string, signal?: AbortSignal): Promise<UploadedBlob[]> {
    await this.host(origin).ready();
    return this.#digestIn(source, this.#partBytesAt(origin), signal);
  }

  /** SHA-256 of a whole source, as `sha256:<hex>`. */
  async contentDigest(source: ByteSource, signal?: AbortSignal): Promise<string> {
    const [blob] = await this.#digestIn(source, Number.POSITIVE_INFINITY, signal);
    return blob?.digest ?? '';
  }

  /** Whether a push would hash the source before it sends the first byte. */
  hashesFirst(source: ByteSource): boolean {
    return this.#payloads.hashesFirst(source);
  }

  async #digestIn(
    source: ByteSource,
    partBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<UploadedBlob[]> {
    return this.#queue.add(async () => {
      const reader = await source.open(signal);
      const blobs: UploadedBlob[] = [];
      try {
        for (const region of regionsOf(source, partBytes)) {
          const payload = this.#payloads.unkept(source, reader, region);
          try {
            blobs.push({ digest: await payload.digest(signal), bytes: payload.sizeBytes ?? 0 });
          } finally {
            await payload.dispose();
          }
        }
        await reader.verifyUnchanged();
        return blobs;
      } finally {
        await reader.close();
      }
    });
  }

  /** Ends the hash threads, and the journals. Pushes under way fail. */
  async close(): Promise<void> {
    await (await this.#journals?.())?.close();
    await this.hasher.close();
  }

  async #uploadParts(
    source: ByteSource,
    reader: ByteReader,
    sink: BlobSink,
    options: PushOptions,
  ): Promise<UploadedBlob[]> {
    if (this.#mustSpool(source, sink)) return this.#uploadSpooled(source, reader, sink, options);
    if (source.sizeBytes === undefined) return this.#uploadStream(source, reader, sink, options);
    const blobs: UploadedBlob[] = [];
    for (const region of regionsOf(source, this.#partBytesAt(sink.exchange.reference.origin))) {
      const payload = await this.#payloads.of(source, reader, region, options);
      blobs.push(await this.#upload(payload, reader, region, sink, options));
    }
    return blobs;
  }

  /** True for a stream that memory cannot hold, where the registry takes only whole blobs. */
  #mustSpool(source: ByteSource, sink: BlobSink): boolean {
    const bytes = source.sizeBytes ?? Number.POSITIVE_INFINITY;
    if (source.rereadable || bytes <= this.#payloads.residentBytes) return false;
    return this.host(sink.exchange.reference.origin).formFor(bytes, false, this.uploadMode) === 'monolithic';
  }

  async #uploadSpooled(
    source: ByteSource,
    reader: ByteReader,
    sink: BlobSink,
    options: PushOptions,
  ): Promise<UploadedBlob[]> {
    const spooled = await spool(source, reader, options.signal);
    try {
      const inner = await spooled.source.open(options.signal);
      try {
        return await this.#uploadParts(spooled.source, inner, sink, options);
      } finally {
        await inner.close();
      }
    } finally {
      await spooled.remove();
    }
  }

  /** A stream of unknown length is sent in chunks as it comes, part after part. */
  async #uploadStream(
    source: ByteSource,
    reader: ByteReader,
    sink: BlobSink,
    options: PushOptions,
  ): Promise<UploadedBlob[]> {
    const blobs: UploadedBlob[] = [];
    const partBytes = this.#partBytesAt(sink.exchange.reference.origin);
    for (let start = 0; ; ) {
      const region: Region = { start, sizeBytes: undefined, limitBytes: partBytes };
      const payload = this.#payloads.unkept(source, reader, region);
      const blob = await this.#upload(payload, reader, region, sink, options);
      // The stream ended just where a part did: an empty blob is refused by several registries.
      if (blob.bytes > 0 || blobs.length === 0) blobs.push(blob);
      if (blob.bytes < partBytes) return blobs;
      start += blob.bytes;
    }
  }

  /** A registry's own limit counts, where it is below the one that was asked for. */
  #partBytesAt(origin: string): number {
    return Math.min(this.#partBytes, this.host(origin).maxBlobBytes);
  }

  async #upload(
    payload: Payload,
    reader: ByteReader,
    region: Region,
    sink: BlobSink,
    options: PushOptions,
  ): Promise<UploadedBlob> {
    try {
      const { tag } = sink;
      const file = isFileReader(reader) ? reader.identity : undefined;
      const place = tag !== undefined && { file, start: region.start, bytes: region.sizeBytes ?? 0, tag };
      const journals = place && !options.urgent && (await this.#journals?.());
      const journal = journals && (await journals.blob(sink.exchange, place));
      if (options.signal?.aborted) throw cancelled(options.signal.reason);
      return await uploadBlob(payload, {
        exchange: sink.exchange,
        host: this.host(sink.exchange.reference.origin),
        mode: this.uploadMode,
        chunkBytes: this.#chunkBytes,
        memoryBytes: this.#payloads.residentBytes,
        ...options,
        ...(journal && { journal }),
      });
    } finally {
      await payload.dispose();
    }
  }
}

/** Loaded with the first push: the plugin keeps no journals. */
function openJournals(folder: string, onRemark: EngineOptions['onRemark']): () => Promise<Journals> {
  let journals: Promise<Journals> | undefined;
  const options = { folder, onRemark, chunkedAboveBytes: WHOLE_LIMIT_BYTES };
  return () => {
    journals ??= import('./journal/journals.ts').then((module) => new module.Journals(options));
    return journals;
  };
}

function regionsOf(source: ByteSource, partBytes: number): Region[] {
  const size = source.sizeBytes;
  if (size === undefined) return [{ start: 0, sizeBytes: undefined, limitBytes: Number.POSITIVE_INFINITY }];
  const regions: Region[] = [];
  for (let start = 0; start < size || start === 0; start += partBytes) {
    const sizeBytes = Math.min(partBytes, size - start);
    regions.push({ start, sizeBytes, limitBytes: sizeBytes });
  }
  return regions;
}
