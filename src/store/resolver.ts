import { KlosetError } from '../errors.ts';
import { headBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import { getManifest } from '../registry/manifests.ts';
import { describeReference } from '../registry/reference.ts';
import type { Diagnosis } from './diagnosis.ts';
import { type Layer, type ObjectManifest, parseManifest } from './manifest.ts';
import { named, nameOf } from './naming.ts';
import { CONFIG_TAG, type ObjectRef, tagOf } from './objectNames.ts';
import { DAMAGED_REMEDY } from './readLayers.ts';

type Target = ObjectRef | 'CONFIG';

// A resolved object is some 300 bytes; the newest this many are remembered.
const REMEMBERED = 20_000;

/** From an object to its layers: one request per object and process. */
export class Resolver {
  readonly #exchange: Exchange;
  readonly #diagnosis: Diagnosis;
  readonly #known = new Map<string, ObjectManifest>();
  /** Layers of foreign manifests with the lengths that the registry told. */
  readonly #measured = new WeakMap<ObjectManifest, readonly Layer[]>();

  constructor(exchange: Exchange, diagnosis: Diagnosis) {
    this.#exchange = exchange;
    this.#diagnosis = diagnosis;
  }

  /** The manifest of an object, or `undefined` when there is none. */
  async find(target: Target, signal: AbortSignal | undefined): Promise<ObjectManifest | undefined> {
    const tag = target === 'CONFIG' ? CONFIG_TAG : tagOf(target);
    const known = this.#known.get(tag);
    if (known) return known;
    return named(target, this.#place(), async () => {
      try {
        const stored = await getManifest(this.#exchange, tag, signal);
        if (!stored) return undefined;
        const manifest = parseManifest(stored.bytes, target);
        this.#diagnosis.answered();
        this.remember(tag, manifest);
        return manifest;
      } catch (error) {
        await this.#diagnosis.explain(error, signal);
        throw error;
      }
    });
  }

  /** @throws KlosetError OBJECT_MISSING */
  async require(target: Target, signal: AbortSignal | undefined): Promise<ObjectManifest> {
    const manifest = await this.find(target, signal);
    if (manifest) return manifest;
    throw new KlosetError('OBJECT_MISSING', 'the store has no such object', {
      object: nameOf(target),
      registry: this.#place(),
      remedy: 'List what it has with "kloset-oci ls".',
    });
  }

  remember(tag: string, manifest: ObjectManifest): void {
    // Locks are put, deleted and put again by others: only content that never changes is remembered.
    if (tag.startsWith('locks-')) return;
    this.#known.set(tag, manifest);
    const [oldest] = this.#known.size > REMEMBERED ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  forget(tag: string): void {
    this.#known.delete(tag);
  }

  clear(): void {
    this.#known.clear();
  }

  /** The layers with their lengths. The Go connector writes sizes that it was not told; the registry knows. */
  async trueLayers(manifest: ObjectManifest, signal: AbortSignal | undefined): Promise<readonly Layer[]> {
    if (manifest.ours) return manifest.layers;
    const known = this.#measured.get(manifest);
    if (known) return known;
    // Its reader knows the first layer only, and so does its writer.
    const layers: Layer[] = [];
    for (const { digest } of manifest.layers.slice(0, 1)) {
      const bytes = await headBlob(this.#exchange, digest, signal);
      if (bytes === undefined) throw missingBlob(digest);
      layers.push({ digest, bytes });
    }
    this.#measured.set(manifest, layers);
    return layers;
  }

  #place(): string {
    return describeReference(this.#exchange.reference);
  }
}

/** The error of a manifest whose blob is gone. */
export function missingBlob(digest: string, remedy: string = DAMAGED_REMEDY): KlosetError {
  return new KlosetError('BLOB_MISSING', `blob ${digest} is missing`, { remedy });
}
