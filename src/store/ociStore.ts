import { bufferSource } from '../engine/bufferSource.ts';
import type { Coordinator } from '../engine/coordinator.ts';
import type { ByteSource } from '../engine/source.ts';
import { type ErrorCode, isKlosetError, KlosetError } from '../errors.ts';
import { headBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import { putManifest } from '../registry/manifests.ts';
import { ping } from '../registry/ping.ts';
import { describeReference, type Reference } from '../registry/reference.ts';
import { listTags } from '../registry/tags.ts';
import { readAfterWrite } from './afterWrite.ts';
import { deleteTag } from './deletion.ts';
import { Diagnosis } from './diagnosis.ts';
import { EmptyConfig } from './emptyConfig.ts';
import { inlineContent } from './inlineContent.ts';
import { buildManifest, type Layer, type ObjectManifest } from './manifest.ts';
import { Mounts } from './mounts.ts';
import { named, namedStream, nameOf } from './naming.ts';
import { CONFIG_TAG, type ObjectRef, type ObjectType, refOfTag, tagOf } from './objectNames.ts';
import type {
  ByteRange,
  KnownContent,
  ObjectContent,
  ObjectFinding,
  ObjectStat,
  OperationOptions,
  PutOptions,
  PutResult,
} from './objectStore.ts';
import { DAMAGED_REMEDY, readLayers } from './readLayers.ts';
import { missingBlob, Resolver } from './resolver.ts';
import { sameContent } from './sameContent.ts';
import { type DigestStore, isStoredSource, type StoredSource, sumBytes } from './storedSource.ts';

type Target = ObjectRef | 'CONFIG';

/** A Kloset store in a repository of an OCI registry. */
export class OciStore implements DigestStore {
  readonly location: string;
  readonly reference: Reference;
  readonly #exchange: Exchange;
  readonly #coordinator: Coordinator;
  readonly #resolver: Resolver;
  readonly #emptyConfig: EmptyConfig;
  readonly #diagnosis: Diagnosis;
  readonly #looksBeforePut: boolean;
  readonly #mounts: Mounts;
  /** Tags known to exist, once {@link primeTags} has listed them. */
  #tags: Set<string> | undefined;

  /** @param looksBeforePut whether a put asks for the object first, where the tags are not known */
  constructor(exchange: Exchange, coordinator: Coordinator, looksBeforePut = true) {
    this.#looksBeforePut = looksBeforePut;
    this.#exchange = exchange;
    this.#coordinator = coordinator;
    this.#emptyConfig = new EmptyConfig(exchange, coordinator);
    this.#diagnosis = new Diagnosis(exchange);
    this.#resolver = new Resolver(exchange, this.#diagnosis);
    this.#mounts = new Mounts(exchange);
    this.reference = exchange.reference;
    this.location = `oci://${describeReference(exchange.reference)}`;
  }

  async create(config: Uint8Array, options: OperationOptions = {}): Promise<void> {
    const exists = new KlosetError('STORE_EXISTS', 'a store is there already; nothing was changed', {
      object: CONFIG_TAG,
      registry: this.#place(),
      remedy: 'Choose another repository, or delete the store first.',
    });
    if (await this.#resolver.find('CONFIG', options.signal)) throw exists;
    await this.#put('CONFIG', bufferSource(config, CONFIG_TAG), options);
    // Registries cannot put "only if absent": of two creators at once, the one that was overwritten finds out here.
    this.#resolver.forget(CONFIG_TAG);
    const read = () => this.open(options);
    const stored = await readAfterWrite(this.#exchange, 'STORE_MISSING', read, options.signal);
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
    const chunks: Uint8Array[] = [];
    for await (const chunk of content.stream) chunks.push(Uint8Array.from(chunk));
    return Buffer.concat(chunks);
  }

  async *list(type: ObjectType, options: OperationOptions = {}): AsyncIterable<string> {
    const seen = new Set<string>();
    for await (const tag of this.#listTags(options.signal)) {
      const ref = refOfTag(tag);
      if (ref?.type !== type || seen.has(ref.mac)) continue;
      seen.add(ref.mac);
      yield ref.mac;
    }
  }

  /** Lists the repository once, so that puts of objects that are not there need no request to find out. */
  async primeTags(options: OperationOptions = {}): Promise<void> {
    const tags = new Set<string>();
    for await (const tag of this.#listTags(options.signal)) tags.add(tag);
    this.#tags = tags;
  }

  /** Whether {@link primeTags} has seen a configuration. */
  get holdsConfig(): boolean {
    return this.#tags?.has(CONFIG_TAG) ?? false;
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
      if (source.rereadable && this.#mayBeThere(ref)) {
        const bytes = await this.#sameContent(ref, source, options);
        if (bytes !== undefined) return { bytes, skipped: true };
      }
      if (isStoredSource(source) && (await this.#named(ref, () => this.#mount(ref, source, options.signal))))
        return { bytes: sumBytes(source.blobs), skipped: false, mounted: true };
      return { bytes: await this.#put(ref, source, options), skipped: false };
    } finally {
      source.held?.release();
    }
  }

  async get(ref: ObjectRef, options: OperationOptions & { range?: ByteRange } = {}): Promise<ObjectContent> {
    return this.#get(ref, options.range, options.signal);
  }

  async delete(ref: ObjectRef, options: OperationOptions = {}): Promise<void> {
    const tag = tagOf(ref);
    this.#resolver.forget(tag);
    const host = this.#coordinator.host(this.#exchange.reference.origin);
    await host.ready();
    await this.#named(ref, () => deleteTag(this.#exchange, ref, host, options.signal));
    this.#tags?.delete(tag);
  }

  async verify(ref: Target, options: OperationOptions & { deep?: boolean } = {}): Promise<ObjectFinding> {
    try {
      this.#resolver.forget(ref === 'CONFIG' ? CONFIG_TAG : tagOf(ref));
      const manifest = await this.#resolver.require(ref, options.signal);
      for (const layer of manifest.layers)
        await this.#named(ref, () => this.#checkSize(layer, manifest, options));
      const layers = await this.#resolver.trueLayers(manifest, options.signal);
      if (options.deep) {
        // The descriptor's copy says nothing about the blob.
        const blobs = layers.map(({ digest, bytes }) => ({ digest, bytes }));
        await this.#named(ref, async () => {
          for await (const _ of readLayers(this.#exchange, blobs, undefined, options.signal));
        });
      }
      return { ref, ok: true, bytes: sumBytes(layers) };
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
    const stream = readLayers(this.#exchange, layers, wanted, signal);
    return { bytes, stream: namedStream(target, this.#place(), stream) };
  }

  async #put(target: Target, source: ByteSource, options: PutOptions): Promise<number> {
    const { signal, onSent, digest } = options;
    const onRetry = (error: KlosetError, delayMs: number) => {
      this.#exchange.onRetry?.(error, delayMs);
      options.onRetry?.(error, delayMs);
    };
    const inline = await inlineContent(source, signal);
    const from = inline ? bufferSource(inline, source.name) : source;
    return this.#named(target, async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          const configReady = this.#emptyConfig.ensure();
          configReady.catch(() => {});
          const commit = async (blobs: readonly { digest: string; bytes: number }[]) => {
            await configReady;
            await this.#commit(
              target,
              blobs.map((blob) => ({ ...blob, data: inline })),
              signal,
            );
          };
          const blobs = await this.#coordinator.push(
            from,
            { exchange: this.#exchange, commit },
            { signal, onSent, onRetry, digest, urgent: target !== 'CONFIG' && target.type === 'lock' },
          );
          return sumBytes(blobs);
        } catch (error) {
          // The registry's garbage collection took a blob between its upload and the manifest.
          if (!isKlosetError(error, 'BLOB_MISSING') || !from.rereadable || attempt >= 2) throw error;
          this.#emptyConfig.forget();
        }
      }
    });
  }

  async #commit(target: Target, layers: readonly Layer[], signal: AbortSignal | undefined): Promise<void> {
    const tag = target === 'CONFIG' ? CONFIG_TAG : tagOf(target);
    const host = this.#coordinator.host(this.#exchange.reference.origin);
    // As it is now: of many first puts at once, each one is refused, and the first to learn why tells the others.
    const plain = host.artifactTypeRefused;
    try {
      await putManifest(this.#exchange, tag, buildManifest(target, layers, plain), signal);
    } catch (error) {
      const status = isKlosetError(error) ? error.details.status : undefined;
      const refused = status === 400 || status === 405 || status === 415;
      if (!refused || plain || isKlosetError(error, 'BLOB_MISSING')) throw error;
      await putManifest(this.#exchange, tag, buildManifest(target, layers, true), signal);
      host.artifactTypeRefused = true;
    }
    this.#resolver.remember(tag, { layers, ours: true });
    this.#tags?.add(tag);
  }

  /** A lock is put again to refresh it, and a tag that is known to be absent needs no look. */
  #mayBeThere(ref: ObjectRef): boolean {
    if (ref.type === 'lock') return false;
    return this.#tags?.has(tagOf(ref)) ?? this.#looksBeforePut;
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

  /** False when the bytes have to be sent. */
  async #mount(ref: ObjectRef, source: StoredSource, signal: AbortSignal | undefined): Promise<boolean> {
    if (!(await this.#mounts.mount(source, signal))) return false;
    try {
      await this.#emptyConfig.ensure();
      await this.#commit(ref, source.blobs, signal);
      return true;
    } catch (error) {
      // It said "mounted" and has it not: what is sent it will have.
      if (isKlosetError(error, 'BLOB_MISSING')) return false;
      throw error;
    }
  }

  async #checkSize(layer: Layer, manifest: ObjectManifest, options: OperationOptions): Promise<void> {
    const bytes = await headBlob(this.#exchange, layer.digest, options.signal);
    if (bytes === undefined) throw missingBlob(layer.digest);
    if (!manifest.ours || bytes === layer.bytes) return;
    const summary = `blob ${layer.digest} has ${bytes} bytes, the manifest says ${layer.bytes}`;
    throw new KlosetError('SIZE_MISMATCH', summary, { remedy: DAMAGED_REMEDY });
  }

  async *#listTags(signal: AbortSignal | undefined): AsyncGenerator<string, void, void> {
    try {
      yield* listTags(this.#exchange, signal);
      this.#diagnosis.answered();
    } catch (error) {
      await this.#diagnosis.explain(error, signal);
      throw error;
    }
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
