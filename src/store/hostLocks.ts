import type { ByteSource } from '../engine/source.ts';
import { isKlosetError } from '../errors.ts';
import { collected } from './collected.ts';
import { ForwardingStore } from './forwardingStore.ts';
import type { MacList } from './macList.ts';
import type { ObjectRef, ObjectType } from './objectNames.ts';
import type { GetOptions, ObjectContent, OperationOptions, PutOptions, PutResult } from './objectStore.ts';
import { runAll } from './runAll.ts';

/** Plakar's are some 200 bytes; what is longer is read when it is asked for. */
const KEPT_BYTES = 4096;
/** More have never been seen; those beyond are read when they are asked for. */
const KEPT_LOCKS = 256;

/**
 * What a host does with locks, made to hold on a store that is some round trips away. plakar 1.1.4 lists the locks and
 * then reads each, and a lock that its owner has deleted in between fails the whole backup; and it deletes its own from
 * a thread that its end does not wait for, so that a lock that outlives its process keeps maintenance out for ten
 * minutes. In a directory both take microseconds and hardly ever meet anybody.
 */
export class HostLocks extends ForwardingStore {
  /** Put by this host and not deleted since. */
  readonly #left = new Map<string, ObjectRef>();
  /** Locks as they were when they were listed, each for one read. */
  readonly #listed = new Map<string, Uint8Array>();

  override list(type: ObjectType, options: OperationOptions = {}): MacList {
    return type === 'lock' ? this.#listLocks(options) : this.inner.list(type, options);
  }

  override async put(ref: ObjectRef, source: ByteSource, options?: PutOptions): Promise<PutResult> {
    if (ref.type === 'lock') {
      this.#listed.delete(ref.mac);
      // Before it is there: a put that is cut off may have come to its end.
      this.#left.set(ref.mac, ref);
    }
    return this.inner.put(ref, source, options);
  }

  override async get(ref: ObjectRef, options: GetOptions = {}): Promise<ObjectContent> {
    const bytes = ref.type === 'lock' && !options.range ? this.#listed.get(ref.mac) : undefined;
    if (!bytes) return this.inner.get(ref, options);
    this.#listed.delete(ref.mac);
    return { bytes: bytes.length, stream: once(bytes), parts: [bytes] };
  }

  override async delete(ref: ObjectRef, options?: OperationOptions): Promise<void> {
    if (ref.type === 'lock') this.#listed.delete(ref.mac);
    await this.inner.delete(ref, options);
    if (ref.type === 'lock') this.#left.delete(ref.mac);
  }

  /** Deletes the locks that the host has left. For when it needs none any more, or is gone. */
  async release(options: OperationOptions = {}): Promise<void> {
    await runAll([...this.#left.values()], options, (ref, signal) => this.delete(ref, { signal }));
  }

  override async close(): Promise<void> {
    try {
      await this.release();
    } finally {
      await this.inner.close();
    }
  }

  async *#listLocks(options: OperationOptions): AsyncGenerator<string, void, void> {
    this.#listed.clear();
    const macs: string[] = [];
    for await (const mac of this.inner.list('lock', options)) macs.push(mac);
    const gone = new Set<string>();
    await runAll(macs.slice(0, KEPT_LOCKS), options, async (mac, signal) => {
      if ((await this.#keep(mac, signal)) === 'gone') gone.add(mac);
    });
    for (const mac of macs) if (!gone.has(mac)) yield mac;
  }

  /** Whatever else is wrong with a lock, the host is told when it reads it. */
  async #keep(mac: string, signal: AbortSignal): Promise<'gone' | undefined> {
    try {
      const { bytes, stream } = await this.inner.get({ type: 'lock', mac }, { signal });
      if (bytes > KEPT_BYTES) return undefined;
      this.#listed.set(mac, await collected(stream));
    } catch (error) {
      if (isKlosetError(error, 'OBJECT_MISSING')) return 'gone';
      if (signal.aborted) throw error;
    }
    return undefined;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
