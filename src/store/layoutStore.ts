import { createHash } from 'node:crypto';
import { bufferSource } from '../engine/bufferSource.ts';
import type { ByteSource } from '../engine/source.ts';
import { isKlosetError, KlosetError } from '../errors.ts';
import { bytesOf } from './bytesOf.ts';
import { collected } from './collected.ts';
import { inlineContent } from './inlineContent.ts';
import { LayoutCommits } from './layoutCommits.ts';
import { blobBytes, blobPath, blobReader, LAYOUT_REMEDY, readIfThere, writeBlob } from './layoutFiles.ts';
import { describeManifest } from './layoutIndex.ts';
import { buildManifest, EMPTY_CONFIG, type Layer, type ObjectManifest, parseManifest } from './manifest.ts';
import { named, nameOf } from './naming.ts';
import { CONFIG_TAG, type ObjectRef, type ObjectType, refOfTag, tagOf } from './objectNames.ts';
import type {
  ByteRange,
  GetOptions,
  ObjectContent,
  ObjectFinding,
  ObjectStat,
  OperationOptions,
  PutOptions,
  PutReport,
  PutResult,
} from './objectStore.ts';
import { partsOf } from './parts.ts';
import { readInRow } from './readLayers.ts';
import { missingBlob } from './resolver.ts';
import { sameContent } from './sameContent.ts';
import { type DigestStore, isStoredSource, sumBytes } from './storedSource.ts';

/** Settings of a store in an image layout. */
export interface LayoutStoreOptions {
  /** Length of a blob above which an object is stored as several, in bytes. @default 1073741824 */
  readonly partBytes?: number | undefined;
}

type Target = ObjectRef | 'CONFIG';

const DEFAULT_PART_BYTES = 1024 * 1024 * 1024;
/**
 * A Kloset store in a folder of the OCI image layout: wire format 1, with the tags as
 * `org.opencontainers.image.ref.name` in `index.json`, so that tools for such folders can move it.
 *
 * The index is complete for them once the store is closed. Deleting takes the tag away; blobs stay, since other
 * entries of the folder may name them.
 */
export class LayoutStore implements DigestStore {
  readonly location: string;
  readonly #root: string;
  readonly #partBytes: number;
  readonly #commits: LayoutCommits;
  #emptyConfig: Promise<unknown> | undefined;

  /** @param path the folder; it need not exist before the first put */
  constructor(path: string, options: LayoutStoreOptions = {}) {
    this.location = `oci-layout:${path}`;
    this.#root = path;
    this.#partBytes = options.partBytes ?? DEFAULT_PART_BYTES;
    this.#commits = new LayoutCommits(path);
  }

  async create(config: Uint8Array, options: OperationOptions = {}): Promise<void> {
    const exists = new KlosetError('STORE_EXISTS', 'a store is there already; nothing was changed', {
      object: this.location,
      remedy: 'Choose another folder.',
    });
    if ((await this.#commits.index()).tags.has(CONFIG_TAG)) throw exists;
    const { done } = await this.#write('CONFIG', bufferSource(config, CONFIG_TAG), options);
    if (!done) throw exists;
  }

  async open(options: OperationOptions = {}): Promise<Uint8Array> {
    const content = await this.#get('CONFIG', undefined, options.signal).catch((error) => {
      if (!isKlosetError(error, 'OBJECT_MISSING')) throw error;
      throw new KlosetError('STORE_MISSING', 'there is no store', {
        object: this.location,
        remedy: 'Check the path, or copy a store there first.',
      });
    });
    return collected(content.stream);
  }

  async *list(type: ObjectType): AsyncIterable<string> {
    const { tags } = await this.#commits.index();
    for (const tag of [...tags.keys()]) {
      const ref = refOfTag(tag);
      if (ref?.type === type) yield ref.mac;
    }
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    return { ref, bytes: sumBytes(await this.blobsOf(ref)) };
  }

  async blobsOf(ref: ObjectRef): Promise<readonly Layer[]> {
    return this.#named(ref, async () => this.#trueLayers(await this.#require(ref)));
  }

  async put(ref: ObjectRef, source: ByteSource, options: PutOptions = {}): Promise<PutResult> {
    try {
      if (ref.type !== 'lock' && source.rereadable) {
        const bytes = await this.#named(ref, () => this.#presentBytes(ref, source, options.signal));
        if (bytes !== undefined) return { bytes, skipped: true };
      }
      return { bytes: (await this.#write(ref, source, options)).bytes, skipped: false };
    } finally {
      source.held?.release();
    }
  }

  async get(ref: ObjectRef, options: GetOptions = {}): Promise<ObjectContent> {
    return this.#get(ref, options.range, options.signal);
  }

  async delete(ref: ObjectRef): Promise<void> {
    const tag = tagOf(ref);
    if (!(await this.#commits.index()).tags.has(tag)) return;
    await this.#commits.commit({ tag, descriptor: undefined });
  }

  async verify(ref: Target, options: OperationOptions & { deep?: boolean } = {}): Promise<ObjectFinding> {
    try {
      const bytes = await this.#named(ref, async () => {
        const layers = await this.#trueLayers(await this.#require(ref));
        for (const { digest, bytes } of layers) {
          const found = await blobBytes(this.#root, digest);
          if (found === undefined) throw missingBlob(digest, LAYOUT_REMEDY);
          if (found !== bytes) {
            const summary = `blob ${digest} has ${found} bytes, the manifest says ${bytes}`;
            throw new KlosetError('SIZE_MISMATCH', summary, { remedy: LAYOUT_REMEDY });
          }
        }
        // The descriptor's copy says nothing about the blob.
        const blobs = layers.map(({ digest, bytes }) => ({ digest, bytes }));
        if (options.deep) for await (const _ of this.#read(blobs, undefined, options.signal));
        return sumBytes(layers);
      });
      return { ref, ok: true, bytes };
    } catch (error) {
      if (options.signal?.aborted) throw error;
      return { ref, ok: false, error: error as Error };
    }
  }

  /** Completes `index.json`. */
  close(): Promise<void> {
    return this.#commits.close();
  }

  async #get(
    target: Target,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ObjectContent> {
    const layers = await this.#named(target, async () => this.#trueLayers(await this.#require(target)));
    const total = sumBytes(layers);
    if (range && (range.offset >= total || range.length <= 0)) {
      throw new KlosetError('RANGE_INVALID', `bytes from ${range.offset} lie outside of ${total} bytes`, {
        object: nameOf(target),
        registry: this.location,
        remedy: 'Ask for bytes inside the object.',
      });
    }
    const bytes = range ? Math.min(range.length, total - range.offset) : total;
    const stream = this.#read(layers, range && { offset: range.offset, length: bytes }, signal);
    return { bytes, stream: namedStream(stream, (step) => this.#named(target, step)) };
  }

  #read(layers: readonly Layer[], range: ByteRange | undefined, signal: AbortSignal | undefined) {
    return readInRow(blobReader(this.#root, signal), layers, range, LAYOUT_REMEDY);
  }

  async #find(target: Target): Promise<ObjectManifest | undefined> {
    const { tags } = await this.#commits.index();
    const digest = tags.get(target === 'CONFIG' ? CONFIG_TAG : tagOf(target))?.digest;
    if (digest === undefined) return undefined;
    const bytes = await readIfThere(blobPath(this.#root, digest));
    if (!bytes) throw missingBlob(digest, LAYOUT_REMEDY);
    const [algorithm = ''] = digest.split(':');
    const found = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
    if (found !== digest) {
      const summary = `expected a manifest of digest ${digest}, the file has ${found}`;
      throw new KlosetError('BLOB_CORRUPT', summary, { remedy: LAYOUT_REMEDY });
    }
    return parseManifest(bytes, target);
  }

  async #require(target: Target): Promise<ObjectManifest> {
    const manifest = await this.#find(target);
    if (manifest) return manifest;
    throw new KlosetError('OBJECT_MISSING', 'the store has no such object', {
      remedy: 'Check type and MAC.',
    });
  }

  /** The sizes that the Go connector writes are guesses, and it knows one layer only. */
  async #trueLayers(manifest: ObjectManifest): Promise<readonly Layer[]> {
    if (manifest.ours) return manifest.layers;
    const [layer] = manifest.layers;
    if (!layer) return [];
    const bytes = await blobBytes(this.#root, layer.digest);
    if (bytes === undefined) throw missingBlob(layer.digest, LAYOUT_REMEDY);
    return [{ digest: layer.digest, bytes }];
  }

  /** Length of the object where it is here, whole, with the content of the source. */
  async #presentBytes(
    ref: ObjectRef,
    source: ByteSource,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const manifest = await this.#find(ref).catch((error) => {
      // What is damaged is written again.
      if (isKlosetError(error, 'BLOB_MISSING') || isKlosetError(error, 'BLOB_CORRUPT')) return undefined;
      throw error;
    });
    if (!manifest || !(await this.#holds(manifest.layers, manifest.ours))) return undefined;
    return sameContent(manifest, source, async (from) => {
      const blobs: { digest: string; bytes: number }[] = [];
      for await (const part of partsOf(bytesOf(from, signal ? { signal } : {}), this.#partBytes)) {
        const hash = createHash('sha256');
        let bytes = 0;
        for await (const chunk of part) {
          hash.update(chunk);
          bytes += chunk.length;
        }
        blobs.push({ digest: `sha256:${hash.digest('hex')}`, bytes });
      }
      return blobs;
    });
  }

  async #holds(layers: readonly Layer[], sizesKnown = true): Promise<boolean> {
    for (const { digest, bytes } of layers) {
      const found = await blobBytes(this.#root, digest);
      if (found === undefined || (sizesKnown && found !== bytes)) return false;
    }
    return true;
  }

  async #write(
    target: Target,
    source: ByteSource,
    options: OperationOptions & PutReport,
  ): Promise<{ bytes: number; done: boolean }> {
    return this.#named(target, async () => {
      const inline = await inlineContent(source, options.signal);
      const layers = await this.#writeLayers(inline ? bufferSource(inline, source.name) : source, options);
      await this.#writeEmptyConfig();
      const content = buildManifest(
        target,
        inline ? layers.map((layer) => ({ ...layer, data: inline })) : layers,
      );
      const { digest, bytes: size } = await writeBlob(this.#root, [content]);
      const tag = target === 'CONFIG' ? CONFIG_TAG : tagOf(target);
      const change = { tag, descriptor: describeManifest(tag, digest, size) };
      return { bytes: sumBytes(layers), done: await this.#commits.commit(change, target === 'CONFIG') };
    });
  }

  /** Once per process; all puts share one attempt. */
  async #writeEmptyConfig(): Promise<void> {
    this.#emptyConfig ??= writeBlob(this.#root, [EMPTY_CONFIG.content]).catch((error) => {
      this.#emptyConfig = undefined;
      throw error;
    });
    await this.#emptyConfig;
  }

  async #writeLayers(source: ByteSource, options: OperationOptions & PutReport): Promise<readonly Layer[]> {
    // Left by a copy that was interrupted before the manifest.
    if (isStoredSource(source) && (await this.#holds(source.blobs))) return source.blobs;
    const layers: Layer[] = [];
    for await (const part of partsOf(bytesOf(source, options), this.#partBytes))
      layers.push(await writeBlob(this.#root, part));
    return layers;
  }

  async #named<T>(target: Target, operation: () => Promise<T>): Promise<T> {
    // What is wrong with the folder is no matter of one object; and what is no layout must not get as much as a blob.
    await this.#commits.index();
    return named(target, this.location, operation);
  }
}

/** A stream whose errors name what it is of. */
function namedStream(
  stream: AsyncGenerator<Uint8Array, void, void>,
  name: <T>(step: () => Promise<T>) => Promise<T>,
): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          const next = await name(() => stream.next());
          if (next.done) return;
          yield next.value;
        }
      } finally {
        await stream.return(undefined);
      }
    },
  };
}
