import type { ByteSource } from '../engine/source.ts';
import { cancelled } from '../errors.ts';
import type { MacList } from './macList.ts';
import type { ObjectRef, ObjectType } from './objectNames.ts';
import type {
  GetOptions,
  ObjectContent,
  ObjectFinding,
  ObjectStat,
  ObjectStore,
  OperationOptions,
  PutOptions,
  PutResult,
} from './objectStore.ts';
import { BlockCache } from './reads/blockCache.ts';
import { CachedObjects, isCached } from './reads/cachedObjects.ts';
import { DEFAULT_CACHE_BYTES, DEFAULT_READ_POLICY, fitPolicy, type ReadPolicy } from './reads/readPolicy.ts';
import type { ReadStats } from './reads/readStats.ts';

/** Settings of a store whose reads are cached. */
export interface CachedStoreOptions {
  /** Memory for the blocks of all objects, in bytes; at least 1 MiB. @default 67108864 */
  readonly cacheBytes?: number | undefined;
  readonly policy?: ReadPolicy | undefined;
}

const LEAST_CACHE_BYTES = 1024 * 1024;

// An object costs some hundred bytes beside its blocks; a store may have any number of them.
const REMEMBERED = 4096;

/**
 * A store whose packfiles are read in blocks that stay in bounded memory, with more fetched ahead of readers that go
 * through them in order. Everything else goes to the store below.
 *
 * Reads of a range are not checked against a digest: there is none for a part. A whole object is checked, as the
 * store below does it.
 */
export class CachedStore implements ObjectStore {
  readonly location: string;
  readonly #inner: ObjectStore;
  readonly #cache: BlockCache;
  readonly #policy: ReadPolicy;
  readonly #objects: CachedObjects;
  readonly #stop = new AbortController();

  /** The store below is closed with this one. */
  constructor(inner: ObjectStore, options: CachedStoreOptions = {}) {
    const { cacheBytes = DEFAULT_CACHE_BYTES, policy = DEFAULT_READ_POLICY } = options;
    if (!(cacheBytes >= LEAST_CACHE_BYTES))
      throw new RangeError(`expected a cache of at least ${LEAST_CACHE_BYTES} bytes, got ${cacheBytes}`);
    this.location = inner.location;
    this.#inner = inner;
    this.#policy = fitPolicy(policy, cacheBytes);
    this.#cache = new BlockCache(this.#policy, cacheBytes, (ref, range, signal, place) =>
      inner.get(ref, { signal, place, ...(range && { range }) }),
    );
    this.#objects = new CachedObjects(
      REMEMBERED,
      async (ref) => this.#cache.object(ref, (await inner.stat(ref, { signal: this.#stop.signal })).bytes),
      (object) => this.#cache.forget(object),
    );
  }

  /** What reads of packfiles have cost so far. */
  get readStats(): ReadStats {
    return this.#cache.stats;
  }

  create(config: Uint8Array, options?: OperationOptions): Promise<void> {
    return this.#inner.create(config, options);
  }

  open(options?: OperationOptions): Promise<Uint8Array> {
    return this.#inner.open(options);
  }

  list(type: ObjectType, options?: OperationOptions): MacList {
    return this.#inner.list(type, options);
  }

  stat(ref: ObjectRef, options?: OperationOptions): Promise<ObjectStat> {
    return this.#inner.stat(ref, options);
  }

  async put(ref: ObjectRef, source: ByteSource, options?: PutOptions): Promise<PutResult> {
    return this.#changing(ref, () => this.#inner.put(ref, source, options));
  }

  async get(ref: ObjectRef, options: GetOptions = {}): Promise<ObjectContent> {
    if (!isCached(ref)) return this.#inner.get(ref, options);
    const { range, signal } = options;
    const object = this.#objects.known(ref) ?? (await this.#objects.find(ref, signal));
    if (!range) {
      // Verified as a whole, a long object would only push out what is read in parts.
      if (object.bytes === 0 || object.bytes > this.#policy.wholeBytes) return this.#inner.get(ref, options);
      return this.#cache.read(object, { offset: 0, length: object.bytes }, signal);
    }
    const { offset } = range;
    const length = Math.min(range.length, object.bytes - offset);
    // What is wrong with such a range the store below says in its own words.
    if (!(offset >= 0 && length > 0)) return this.#inner.get(ref, options);
    return this.#cache.read(object, { offset, length }, signal);
  }

  async delete(ref: ObjectRef, options?: OperationOptions): Promise<void> {
    await this.#changing(ref, () => this.#inner.delete(ref, options));
  }

  verify(ref: ObjectRef, options?: OperationOptions & { deep?: boolean }): Promise<ObjectFinding> {
    return this.#inner.verify(ref, options);
  }

  /** Ends all reads that are under way, then closes the store below. */
  async close(): Promise<void> {
    this.#stop.abort(cancelled());
    await this.#cache.close();
    await this.#inner.close();
  }

  /** Forgets an object before it changes, and again what a read in between has seen of it. */
  async #changing<T>(ref: ObjectRef, change: () => Promise<T>): Promise<T> {
    const forget = () => {
      if (isCached(ref)) this.#objects.forget(ref);
    };
    forget();
    try {
      return await change();
    } finally {
      forget();
    }
  }
}
