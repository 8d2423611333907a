import type { ByteSource } from '../engine/source.ts';
import { throwIfAborted } from '../errors.ts';
import { KeyedOrder } from '../flow/keyedOrder.ts';
import { orAborted } from '../flow/orAborted.ts';
import { listAfter, type MacList } from './macList.ts';
import { type ObjectRef, type ObjectType, tagOf } from './objectNames.ts';
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
import { type PendingPlace, PendingPuts } from './pendingPuts.ts';

/** Settings of a store that writes behind. */
export interface WriteBehindOptions {
  /** Puts that may be acknowledged and not yet stored; a further one waits for a place. @default 64 */
  readonly maxPending?: number | undefined;
}

/**
 * A store that acknowledges a packfile when its bytes are safe in memory, and stores it behind. What could show that
 * a packfile is missing is a barrier: it waits for every put that was acknowledged before it, and fails if one of
 * them failed. So no state ever names a packfile that is not there.
 *
 * | operation | waits for | fails for a packfile that could not be stored |
 * |---|---|---|
 * | put of a packfile in memory (`ByteSource.held`) | a place | yes, for another one: its backup is lost anyway |
 * | put of another packfile, or of one that failed | itself being stored | as above; its success mends its failure |
 * | put of a state, create, list, delete, flush, close | all | yes |
 * | get, stat, verify of an object | that one | for that one |
 * | put of a lock, open | nothing | no |
 * | delete of a lock | all | yes, after the lock is gone: a lock that stays keeps others out for minutes |
 *
 * Operations on one object run in the order in which they were called. The memory is that of the sources, which the
 * engine's budget bounds.
 */
export class WriteBehindStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #pending: PendingPuts;
  readonly #order = new KeyedOrder();
  readonly #abandoned = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(inner: ObjectStore, options: WriteBehindOptions = {}) {
    this.#inner = inner;
    this.#pending = new PendingPuts(options.maxPending);
  }

  get location(): string {
    return this.#inner.location;
  }

  async create(config: Uint8Array, options: OperationOptions = {}): Promise<void> {
    await this.#pending.barrier(options.signal);
    await this.#inner.create(config, options);
  }

  open(options: OperationOptions = {}): Promise<Uint8Array> {
    return this.#inner.open(options);
  }

  list(type: ObjectType, options: OperationOptions = {}): MacList {
    return listAfter(() => this.#pending.barrier(options.signal), this.#inner.list(type, options));
  }

  async stat(ref: ObjectRef, options: OperationOptions = {}): Promise<ObjectStat> {
    await this.#pending.barrierOf(tagOf(ref), options.signal);
    return this.#inner.stat(ref, options);
  }

  async get(ref: ObjectRef, options: GetOptions = {}): Promise<ObjectContent> {
    await this.#pending.barrierOf(tagOf(ref), options.signal);
    return this.#inner.get(ref, options);
  }

  async verify(ref: ObjectRef, options: OperationOptions & { deep?: boolean } = {}): Promise<ObjectFinding> {
    try {
      await this.#pending.barrierOf(tagOf(ref), options.signal);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      return { ref, ok: false, error: error as Error };
    }
    return this.#inner.verify(ref, options);
  }

  async put(ref: ObjectRef, source: ByteSource, options: PutOptions = {}): Promise<PutResult> {
    if (ref.type === 'packfile' || ref.type === 'ecc-packfile')
      return this.#putPackfile(ref, source, options);
    if (ref.type !== 'lock') await releasingOnFailure(source, () => this.#pending.barrier(options.signal));
    return this.#inner.put(ref, source, options);
  }

  async delete(ref: ObjectRef, options: OperationOptions = {}): Promise<void> {
    const { signal } = options;
    const settled = this.#pending.settled();
    if (ref.type === 'lock') {
      await orAborted(settled, signal);
      await this.#inner.delete(ref, options);
      this.#pending.throwFailure();
      return;
    }
    const done = this.#order.run(tagOf(ref), async () => {
      await orAborted(settled, signal);
      this.#pending.throwFailure();
      await this.#inner.delete(ref, options);
    });
    await orAborted(done, signal);
  }

  /** A barrier and nothing else. Rejects when something that was acknowledged is not stored. */
  async flush(options: OperationOptions = {}): Promise<void> {
    await this.#pending.barrier(options.signal);
  }

  /** Stores what is pending and closes the inner store. Rejects when something that was acknowledged is not stored. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Cancels what is pending: for the end of a program whose host is gone, since nobody will ever name it. */
  abandon(reason?: unknown): void {
    this.#abandoned.abort(reason);
  }

  async #close(): Promise<void> {
    try {
      await this.#pending.barrier(undefined);
    } finally {
      await this.#inner.close();
    }
  }

  async #putPackfile(ref: ObjectRef, source: ByteSource, options: PutOptions): Promise<PutResult> {
    const { signal } = options;
    const tag = tagOf(ref);
    const bytes = source.sizeBytes;
    const place = await releasingOnFailure(source, () => this.#placeBehind(tag, source, signal));
    if (place && bytes !== undefined) {
      place.take(ref, this.#store(ref, source, { signal: this.#abandoned.signal }));
      return { bytes, skipped: false };
    }
    const result = await orAborted(this.#store(ref, source, options), signal);
    this.#pending.mended(tag);
    return result;
  }

  /** A place for a put that may go behind; undefined for one whose caller has to wait until it is stored. */
  async #placeBehind(
    tag: string,
    source: ByteSource,
    signal: AbortSignal | undefined,
  ): Promise<PendingPlace | undefined> {
    throwIfAborted(signal);
    // A backup that cannot be finished must not go on for hours before it is told.
    this.#pending.throwFailureOfOthers(tag);
    if (!source.held || source.sizeBytes === undefined || !this.#mayGoBehind()) return undefined;
    const place = await this.#pending.place(signal);
    // It may have taken long: what was true before need not be true now.
    if (this.#mayGoBehind()) return place;
    place.leave();
    this.#pending.throwFailureOfOthers(tag);
    return undefined;
  }

  /** Once an object has failed, its next put has to show that it is stored; and nobody waits for puts after a close. */
  #mayGoBehind(): boolean {
    return !this.#closing && !this.#pending.hasFailures();
  }

  #store(ref: ObjectRef, source: ByteSource, options: PutOptions): Promise<PutResult> {
    const put = this.#order.run(tagOf(ref), async () => {
      throwIfAborted(options.signal);
      return this.#inner.put(ref, source, options);
    });
    return put.finally(() => source.held?.release());
  }
}

/** A put owns what its source holds, from the call on: what ends before the inner store takes over gives it back. */
async function releasingOnFailure<T>(source: ByteSource, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    source.held?.release();
    throw error;
  }
}
