import { bufferSource } from '../engine/bufferSource.ts';
import type { Coordinator } from '../engine/coordinator.ts';
import type { ByteSource } from '../engine/source.ts';
import { type ErrorCode, isKlosetError, KlosetError } from '../errors.ts';
import type { Exchange } from '../registry/exchange.ts';
import { ping } from '../registry/ping.ts';
import { describeReference, type Reference } from '../registry/reference.ts';
import type { PlaceBytes } from '../registry/transport.ts';
import { collected } from './collected.ts';
import { DeletionLadder, type DeletionOutcome } from './deletionLadder.ts';
import type { DeletionMemory } from './deletionMemory.ts';
import { deletionRemark } from './deletionWords.ts';
import { Diagnosis } from './diagnosis.ts';
import { EmptyConfig } from './emptyConfig.ts';
import { type MacList, wholeList } from './macList.ts';
import type { Layer } from './manifest.ts';
import { ManifestWriter } from './manifestWriter.ts';
import { named, namedStream, nameOf } from './naming.ts';
import { CONFIG_TAG, OBJECT_TYPES, type ObjectRef, type ObjectType, tagOf } from './objectNames.ts';
import type {
  ByteRange,
  GetOptions,
  KnownContent,
  ObjectContent,
  ObjectFinding,
  ObjectStat,
  OperationOptions,
  PutOptions,
  PutResult,
} from './objectStore.ts';
import { ObjectWrites } from './objectWrites.ts';
import { type PourOptions, pourObject } from './pourObject.ts';
import { readLayers } from './readLayers.ts';
import { Resolver } from './resolver.ts';
import { sameContent } from './sameContent.ts';
import { type DigestStore, isStoredSource, sumBytes } from './storedSource.ts';
import { StoreTags } from './storeTags.ts';
import { liveMacs, liveObjects } from './tagSurvey.ts';
import { verifyObject } from './verifyObject.ts';

type Target = ObjectRef | 'CONFIG';

/** What a store in a registry takes beside its connection. */
export interface StoreBehaviour {
  /**
   * Whether a put first asks the registry for the object, and sends nothing where it has the same content: a request
   * that is wasted on objects of new names, which is all that Plakar writes.
   * @default true
   */
  readonly looksBeforePut?: boolean | undefined;
  /** Whether it writes where tags of others are. @default false */
  readonly allowSharedRepository?: boolean | undefined;
  /**
   * How long an object that is not there is asked for again, in milliseconds: for a host that reads only what a state
   * names, which the registry may not show yet to others than its writer.
   * @default 0
   */
  readonly missingPatienceMs?: number | undefined;
  /** What is known of the registry's ways to delete; what is found out is noted here. */
  readonly deletion?: DeletionMemory | undefined;
  /** What the registry does with what was deleted, as a sentence; asked for once something was. */
  readonly reclaims?: (() => Promise<string>) | undefined;
  /** Takes a remark for the user: once, what has become of the room of the first object that was deleted. */
  readonly onRemark?: ((text: string) => void) | undefined;
}

/** A Kloset store in a repository of an OCI registry. */
export class OciStore implements DigestStore {
  readonly location: string;
  readonly reference: Reference;
  readonly #exchange: Exchange;
  readonly #coordinator: Coordinator;
  readonly #resolver: Resolver;
  readonly #writes: ObjectWrites;
  readonly #deletion: DeletionLadder;
  readonly #emptyConfig: EmptyConfig;
  readonly #behaviour: StoreBehaviour;
  readonly #tags: StoreTags;
  #remarked = false;

  constructor(exchange: Exchange, coordinator: Coordinator, behaviour: StoreBehaviour = {}) {
    this.#behaviour = behaviour;
    this.#exchange = exchange;
    this.#coordinator = coordinator;
    this.#emptyConfig = new EmptyConfig(exchange, coordinator);
    const diagnosis = new Diagnosis(exchange);
    this.#tags = new StoreTags(exchange, diagnosis, behaviour.allowSharedRepository ?? false);
    this.#resolver = new Resolver(exchange, diagnosis, this.#tags, behaviour.missingPatienceMs);
    const { table } = this.#tags;
    const memory = behaviour.deletion ?? {};
    const host = coordinator.host(exchange.reference.origin);
    const writer = new ManifestWriter({ exchange, host, table, memory });
    const [emptyConfig, resolver] = [this.#emptyConfig, this.#resolver];
    this.#writes = new ObjectWrites({ exchange, coordinator, writer, emptyConfig, resolver });
    this.#deletion = new DeletionLadder({ exchange, memory, table, writer, emptyConfig, resolver });
    this.reference = exchange.reference;
    this.location = `oci://${describeReference(exchange.reference)}`;
  }

  async create(config: Uint8Array, options: OperationOptions = {}): Promise<void> {
    const exists = new KlosetError('STORE_EXISTS', 'a store is there already; nothing was changed', {
      object: CONFIG_TAG,
      registry: this.#place(),
      remedy: 'Choose another repository, or delete the store first.',
    });
    const mayWrite = this.#mayWrite('CONFIG', options.signal);
    mayWrite.catch(() => {});
    if (await this.#resolver.find('CONFIG', options.signal)) throw exists;
    await mayWrite;
    await this.#writes.put('CONFIG', bufferSource(config, CONFIG_TAG), options);
    // Registries cannot put "only if absent": of two creators at once, the one that was overwritten finds out here.
    this.#resolver.forget(CONFIG_TAG);
    const stored = await this.open(options);
    if (!Buffer.from(stored).equals(config)) throw exists;
  }

  async open(options: OperationOptions = {}): Promise<Uint8Array> {
    const content = await this.#get('CONFIG', undefined, options.signal).catch(async (error) => {
      if (!isKlosetError(error, 'OBJECT_MISSING')) throw error;
      // "No such store" would be the wrong answer of a host that is no registry.
      await ping(this.#exchange, options.signal);
      throw new KlosetError('STORE_MISSING', 'there is no store', {
        registry: this.#place(),
        remedy: 'Check the location, or create a store first.',
      });
    });
    return collected(content.stream);
  }

  list(type: ObjectType, options: OperationOptions = {}): MacList {
    return wholeList(async () => liveMacs(await this.#tags.walk([type], options.signal), type));
  }

  async listAll(types: readonly ObjectType[], options: OperationOptions = {}): Promise<Iterable<ObjectRef>> {
    return liveObjects(await this.#tags.walk(types, options.signal), types);
  }

  /**
   * Lists the repository once, so that puts of objects that are not there need no request to find out.
   *
   * @throws KlosetError REPOSITORY_SHARED
   */
  async primeTags(options: OperationOptions = {}): Promise<void> {
    await this.#tags.walk(OBJECT_TYPES, options.signal, true);
    this.#tags.refuseShared();
  }

  /** Whether the last walk over the tags has seen a configuration. */
  get holdsConfig(): boolean {
    return this.#tags.table.holdsConfig;
  }

  /** Starts what every put waits for: the shared configuration blob, the hash threads. Failures show at the puts. */
  prepareUploads(): void {
    this.#emptyConfig.ensure().catch(() => {});
    this.#coordinator.hasher.provider().catch(() => {});
  }

  /**
   * Digest of a source, for {@link put}: so that hashing starts before it is known what has to be sent.
   *
   * @param always also for sources that are otherwise hashed while they are sent
   */
  async contentDigest(
    source: ByteSource,
    always: boolean,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    if (!always && !this.#coordinator.hashesFirst(source)) return undefined;
    return this.#coordinator.contentDigest(source, signal);
  }

  async stat(ref: ObjectRef, options: OperationOptions = {}): Promise<ObjectStat> {
    return { ref, bytes: sumBytes(await this.blobsOf(ref, options)) };
  }

  async blobsOf(ref: ObjectRef, options: OperationOptions = {}): Promise<readonly Layer[]> {
    const manifest = await this.#resolver.require(ref, options.signal);
    return this.#named(ref, () => this.#resolver.trueLayers(manifest, options.signal));
  }

  async put(ref: ObjectRef, source: ByteSource, options: PutOptions = {}): Promise<PutResult> {
    try {
      await this.#mayWrite(ref, options.signal);
      if (source.rereadable && this.#mayBeThere(ref)) {
        const bytes = await this.#sameContent(ref, source, options);
        if (bytes !== undefined) return { bytes, skipped: true };
      }
      if (isStoredSource(source) && (await this.#writes.mount(ref, source, options.signal)))
        return { bytes: sumBytes(source.blobs), skipped: false, mounted: true };
      return { bytes: await this.#writes.put(ref, source, options), skipped: false };
    } finally {
      source.held?.release();
    }
  }

  async get(ref: ObjectRef, options: GetOptions = {}): Promise<ObjectContent> {
    return this.#get(ref, options.range, options.signal, options.place);
  }

  pour(ref: ObjectRef, layers: readonly Layer[], options: PourOptions): Promise<number> {
    const { hasher, windows } = this.#coordinator;
    return this.#named(ref, () => pourObject({ exchange: this.#exchange, hasher, windows }, layers, options));
  }

  async delete(ref: ObjectRef, options: OperationOptions = {}): Promise<void> {
    await this.#coordinator.host(this.#exchange.reference.origin).ready();
    await this.#tags.walkOnce(options.signal);
    try {
      const outcome = await this.#named(ref, () => this.#deletion.delete(ref, options.signal));
      if (ref.type !== 'lock') await this.#remark(outcome);
    } finally {
      this.#resolver.forget(tagOf(ref));
    }
  }

  async verify(ref: Target, options: OperationOptions & { deep?: boolean } = {}): Promise<ObjectFinding> {
    try {
      this.#resolver.forget(ref === 'CONFIG' ? CONFIG_TAG : tagOf(ref));
      const { signal, deep = false } = options;
      const manifest = await this.#resolver.require(ref, signal);
      const bytes = await this.#named(ref, () =>
        verifyObject(this.#exchange, this.#resolver, manifest, deep, signal),
      );
      return { ref, ok: true, bytes };
    } catch (error) {
      if (options.signal?.aborted) throw error;
      return { ref, ok: false, error: error as Error };
    }
  }

  async close(): Promise<void> {
    await this.#emptyConfig.close();
    this.#resolver.clear();
  }

  async #get(
    target: Target,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
    place?: PlaceBytes,
  ): Promise<ObjectContent> {
    const manifest = await this.#resolver.require(target, signal);
    const layers = await this.#named(target, () => this.#resolver.trueLayers(manifest, signal));
    const total = sumBytes(layers);
    if (range && (range.offset >= total || range.length <= 0)) {
      throw this.#error(
        target,
        'RANGE_INVALID',
        `bytes from ${range.offset} lie outside of ${total} bytes`,
        'Ask for bytes inside the object.',
      );
    }
    const bytes = range ? Math.min(range.length, total - range.offset) : total;
    const wanted = range && { offset: range.offset, length: bytes };
    const stream = readLayers(this.#exchange, layers, wanted, signal, place);
    return { bytes, stream: namedStream(target, this.#place(), stream) };
  }

  /** A lock is put again to refresh it, and a tag that is known to be absent needs no look. */
  #mayBeThere(ref: ObjectRef): boolean {
    if (ref.type === 'lock') return false;
    return this.#tags.table.mayHold(ref) ?? this.#behaviour.looksBeforePut ?? true;
  }

  /**
   * The tags have to be known before anything is written: an object that is hidden by a tombstone would stay hidden,
   * and the repository may be somebody else's. Whoever has listed anything before has walked over them already. A
   * lock does not wait: its name is new, and it may be what a host writes before it lists.
   */
  async #mayWrite(target: Target, signal: AbortSignal | undefined): Promise<void> {
    if (target === 'CONFIG' || target.type !== 'lock') await this.#tags.walkOnce(signal);
    this.#tags.refuseShared();
  }

  async #remark(outcome: DeletionOutcome): Promise<void> {
    const { onRemark, reclaims } = this.#behaviour;
    if (this.#remarked || !onRemark || outcome === 'absent') return;
    this.#remarked = true;
    const text = deletionRemark(outcome, await reclaims?.());
    if (text !== undefined) onRemark(text);
  }

  async #sameContent(
    ref: ObjectRef,
    source: ByteSource,
    { signal, digest }: OperationOptions & KnownContent,
  ): Promise<number | undefined> {
    const manifest = await this.#resolver.find(ref, signal);
    if (!manifest) return undefined;
    const bytes = source.sizeBytes;
    return sameContent(manifest, source, async (from) =>
      digest !== undefined && bytes !== undefined && manifest.layers.length === 1
        ? [{ digest, bytes }]
        : this.#coordinator.digest(from, this.#exchange.reference.origin, signal),
    );
  }

  #named<T>(target: Target, operation: () => Promise<T>): Promise<T> {
    return named(target, this.#place(), operation);
  }

  #error(target: Target, code: ErrorCode, summary: string, remedy: string): KlosetError {
    return new KlosetError(code, summary, { object: nameOf(target), registry: this.#place(), remedy });
  }

  #place(): string {
    return describeReference(this.#exchange.reference);
  }
}
