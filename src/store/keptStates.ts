import { createHash } from 'node:crypto';
import type { ByteSource } from '../engine/source.ts';
import { asKlosetError } from '../errors.ts';
import { orAborted } from '../flow/orAborted.ts';
import { ForwardingStore } from './forwardingStore.ts';
import { KeptStatesFolder } from './keptStatesFolder.ts';
import { listAfter, type MacList } from './macList.ts';
import type { ObjectRef, ObjectType } from './objectNames.ts';
import type { ObjectStore, OperationOptions, PutOptions, PutResult } from './objectStore.ts';

/** Settings of a store that keeps states. */
export interface KeptStatesOptions {
  /** Where states are kept until they are stored; made when there is one. */
  readonly folder: string;
  /** Takes remarks for the user. */
  readonly onRemark: (text: string) => void;
}

/**
 * A store that keeps each state in a file until it is stored, and stores what an earlier process has left there before
 * anything else is written.
 *
 * plakar 1.1.4 takes the state of a backup into its own cache also when it could not be stored
 * (`snapshot/builder.go` of kloset 1.1.3, `flushDeltaState`). The next backup leaves out what that state names, and can
 * be restored from this cache alone: on another machine, after this one was lost, it is damaged. All that such a state
 * names was stored and acknowledged before it, so it may be stored at any later time, as long as nobody has cleared that
 * up meanwhile.
 *
 * Only states of backups are kept: of a host that has put packfiles, and has not listed them, as maintenance does. What
 * maintenance or `rm` write takes something away, is right at its time only, and is in no cache when it has failed.
 */
export class KeptStates extends ForwardingStore {
  readonly #options: KeptStatesOptions;
  /** What this store keeps; known once its configuration is. */
  #folder: KeptStatesFolder | undefined;
  #delivered: Promise<void> | undefined;
  #hasPutPackfiles = false;
  #hasListedPackfiles = false;

  /** The store below is closed with this one. */
  constructor(inner: ObjectStore, options: KeptStatesOptions) {
    super(inner);
    this.#options = options;
  }

  override async create(config: Uint8Array, options?: OperationOptions): Promise<void> {
    await this.inner.create(config, options);
    this.#isOf(config);
  }

  override async open(options?: OperationOptions): Promise<Uint8Array> {
    const config = await this.inner.open(options);
    this.#isOf(config);
    return config;
  }

  override list(type: ObjectType, options: OperationOptions = {}): MacList {
    const list = this.inner.list(type, options);
    if (type === 'packfile') this.#hasListedPackfiles = true;
    if (type !== 'state') return list;
    // So that the host finds it; who may only read can do so all the same.
    return listAfter(() => this.#deliver(options.signal).catch(() => {}), list);
  }

  override async put(ref: ObjectRef, source: ByteSource, options: PutOptions = {}): Promise<PutResult> {
    if (ref.type === 'lock') return this.inner.put(ref, source, options);
    if (ref.type === 'packfile') this.#hasPutPackfiles = true;
    try {
      // Whatever is written now may rely on it.
      await this.#deliver(options.signal);
      if (ref.type === 'state') return await this.#putState(ref, source, options);
    } catch (error) {
      source.held?.release();
      throw error;
    }
    return this.inner.put(ref, source, options);
  }

  async #putState(ref: ObjectRef, source: ByteSource, options: PutOptions): Promise<PutResult> {
    const folder = this.#hasPutPackfiles && !this.#hasListedPackfiles ? this.#folder : undefined;
    const kept = await folder?.keep(ref.mac, source).then(
      () => true,
      (error) => {
        this.#options.onRemark(
          `the state cannot be kept until it is stored: ${asKlosetError(error).message}`,
        );
        return false;
      },
    );
    try {
      const result = await this.inner.put(ref, source, options);
      if (kept) await folder?.drop(ref.mac);
      return result;
    } catch (error) {
      if (kept)
        this.#options.onRemark(
          'the state of this backup could not be stored; it is kept, and the next command on this store stores it first.',
        );
      throw error;
    }
  }

  /** Another store in the same place has another configuration: a state of the one is rubbish in the other. */
  #isOf(config: Uint8Array): void {
    const store = createHash('sha256').update(this.location).update('\n').update(config).digest('hex');
    this.#folder ??= new KeptStatesFolder(this.#options.folder, store, this.#options.onRemark);
  }

  async #deliver(signal: AbortSignal | undefined): Promise<void> {
    const folder = this.#folder;
    if (!folder) return;
    // Not cancelled with one of those who wait: the others need it.
    this.#delivered ??= folder
      .each(async (mac, source) => {
        await this.inner.put({ type: 'state', mac }, source);
        await folder.drop(mac);
        this.#options.onRemark('the state of an earlier backup that could not be stored is stored now.');
      })
      .catch((error) => {
        this.#delivered = undefined;
        throw error;
      });
    await orAborted(this.#delivered, signal);
  }
}
