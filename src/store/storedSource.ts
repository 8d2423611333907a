import type { ByteReader, ByteSource } from '../engine/source.ts';
import { KlosetError } from '../errors.ts';
import type { Reference } from '../registry/reference.ts';
import type { Layer } from './manifest.ts';
import { describeRef, type ObjectRef, type ObjectType } from './objectNames.ts';
import type { ObjectStore, OperationOptions } from './objectStore.ts';
import { isPourable, type PourOptions } from './pourObject.ts';

/** A store that knows its objects by the digests of their blobs. */
export interface DigestStore extends ObjectStore {
  /** The repository whose blobs another one of the registry can mount; a store on disk has none. */
  readonly reference?: Reference;
  /** The blobs of an object, in order. @throws KlosetError OBJECT_MISSING */
  blobsOf(ref: ObjectRef, options?: OperationOptions): Promise<readonly Layer[]>;
  /** Every object of several types once, of one moment, where that costs no more than one type alone. */
  listAll?(types: readonly ObjectType[], options?: OperationOptions): Promise<Iterable<ObjectRef>>;
  /** Writes an object of the blobs `layers` into a file; absent where that is no faster than reading it. */
  pour?(ref: ObjectRef, layers: readonly Layer[], options: PourOptions): Promise<number>;
}

/** An object of a store as a source: what is known of it may save reading it. */
export interface StoredSource extends ByteSource {
  /** Writes it into a file, checked against its digests, where the store can do that without reading it here. */
  readonly pour?: ((options: PourOptions) => Promise<number>) | undefined;
  readonly blobs: readonly Layer[];
  readonly repository: Reference | undefined;
}

export function isStoredSource(source: ByteSource): source is StoredSource {
  return 'blobs' in source;
}

/** True for the same blobs in the same order. */
export function sameBlobs(
  some: readonly { digest: string }[],
  others: readonly { digest: string }[],
): boolean {
  return some.length === others.length && some.every(({ digest }, at) => digest === others[at]?.digest);
}

export function sumBytes(blobs: readonly { readonly bytes: number }[]): number {
  return blobs.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** An object of a store as a source. Its bytes are checked against their digests before the source ends. */
export async function storedSource(
  store: DigestStore,
  ref: ObjectRef,
  options: OperationOptions = {},
): Promise<StoredSource> {
  const blobs = await store.blobsOf(ref, options);
  const sizeBytes = sumBytes(blobs);
  return {
    name: describeRef(ref),
    sizeBytes,
    rereadable: true,
    blobs,
    repository: store.reference,
    pour: isPourable(blobs) ? store.pour?.bind(store, ref, blobs) : undefined,
    open: async (signal) => new StoredReader(store, ref, sizeBytes, signal),
  };
}

class StoredReader implements ByteReader {
  readonly #store: DigestStore;
  readonly #ref: ObjectRef;
  readonly #sizeBytes: number;
  readonly #options: OperationOptions;
  #stream: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array = new Uint8Array();
  /** Of the next byte that the stream gives. */
  #position = 0;
  #fromStart = false;
  #verified = false;

  constructor(store: DigestStore, ref: ObjectRef, sizeBytes: number, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#ref = ref;
    this.#sizeBytes = sizeBytes;
    this.#options = signal ? { signal } : {};
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (position >= this.#sizeBytes || into.length === 0) return 0;
    if (!this.#stream || position !== this.#position) await this.#seek(position);
    let filled = 0;
    while (filled < into.length && (this.#rest.length > 0 || (await this.#pull()))) {
      const part = this.#rest.subarray(0, into.length - filled);
      into.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    this.#position += filled;
    // Reading beyond the last byte is what checks the digest; it has to fail before the bytes are used.
    if (this.#position === this.#sizeBytes) await this.#finish();
    return filled;
  }

  async verifyUnchanged(): Promise<void> {
    if (this.#verified) return;
    // Taken up in the middle, after a failure of the other side: no pass has seen the whole.
    await this.#seek(0);
    while (await this.#pull()) this.#position += this.#rest.length;
    this.#rest = new Uint8Array();
    await this.#finish();
  }

  async close(): Promise<void> {
    await this.#stream?.return?.();
    this.#stream = undefined;
  }

  async #seek(position: number): Promise<void> {
    await this.close();
    const range = { offset: position, length: this.#sizeBytes - position };
    const content = await this.#store.get(this.#ref, { ...this.#options, ...(position > 0 && { range }) });
    this.#stream = content.stream[Symbol.asyncIterator]();
    this.#rest = new Uint8Array();
    this.#position = position;
    this.#fromStart = position === 0;
  }

  async #pull(): Promise<boolean> {
    const next = await this.#stream?.next();
    if (!next || next.done) return false;
    this.#rest = next.value;
    return true;
  }

  async #finish(): Promise<void> {
    if (this.#rest.length > 0 || (await this.#pull()) || this.#position !== this.#sizeBytes) {
      throw new KlosetError('SIZE_MISMATCH', `does not have the ${this.#sizeBytes} bytes of its manifest`, {
        object: describeRef(this.#ref),
        registry: this.#store.location,
        remedy: 'The copy there is damaged: copy from another one.',
      });
    }
    this.#verified ||= this.#fromStart;
    this.#stream = undefined;
  }
}
