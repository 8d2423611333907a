import { KlosetError } from '../errors.ts';
import { headBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import { getManifest } from '../registry/manifests.ts';
import { describeReference } from '../registry/reference.ts';
import type { Diagnosis } from './diagnosis.ts';
import { type Layer, type ObjectManifest, readManifest } from './manifest.ts';
import { named, nameOf } from './naming.ts';
import { CONFIG_TAG, type ObjectRef, type ObjectType, tagOf } from './objectNames.ts';
import { DAMAGED_REMEDY } from './readLayers.ts';
import { newestOf } from './standing.ts';
import type { TagTable } from './tagTable.ts';

type Target = ObjectRef | 'CONFIG';

// A resolved object is some 300 bytes; the newest this many are remembered.
const REMEMBERED = 20_000;

// A walk over all tags is many requests in a large store: for objects that are gone one after the other, no more than
// this many walks that did not help.
const MAX_VAIN_WALKS = 3;

const FIRST_PATIENCE_MS = 100;

/** The tags of the repository, as far as they are known. */
export interface KnownTags {
  readonly table: TagTable;
  /** Walks over all tags. */
  walk(types: readonly ObjectType[], signal: AbortSignal | undefined): Promise<unknown>;
}

/** From an object to its layers: one request per object and process. */
export class Resolver {
  readonly #exchange: Exchange;
  readonly #diagnosis: Diagnosis;
  readonly #tags: KnownTags;
  readonly #patienceMs: number;
  #vainWalks = 0;
  readonly #known = new Map<string, ObjectManifest>();
  /** Layers of foreign manifests with the lengths that the registry told. */
  readonly #measured = new WeakMap<ObjectManifest, readonly Layer[]>();

  /** @param patienceMs how long an object that is not there is asked for again */
  constructor(exchange: Exchange, diagnosis: Diagnosis, tags: KnownTags, patienceMs = 0) {
    this.#patienceMs = patienceMs;
    this.#exchange = exchange;
    this.#diagnosis = diagnosis;
    this.#tags = tags;
  }

  /** The manifest of an object, or `undefined` when there is none. */
  async find(target: Target, signal: AbortSignal | undefined): Promise<ObjectManifest | undefined> {
    const found = await this.#lookUp(target, signal);
    if (found !== 'buried') return found;
    // Deleted, which the tags did not tell, or not yet: a later generation may be there.
    return this.#lookAgain(target, signal);
  }

  /** The same, where this process knows it. */
  known(target: Target): ObjectManifest | undefined {
    return this.#known.get(target === 'CONFIG' ? CONFIG_TAG : tagOf(target));
  }

  async #lookUp(
    target: Target,
    signal: AbortSignal | undefined,
  ): Promise<ObjectManifest | 'buried' | undefined> {
    const tag = target === 'CONFIG' ? CONFIG_TAG : tagOf(target);
    const { table } = this.#tags;
    const readFrom = target === 'CONFIG' ? CONFIG_TAG : table.tagToRead(target);
    if (readFrom === undefined) return undefined;
    const known = this.#known.get(tag);
    if (known) return known;
    return named(target, this.#place(), async () => {
      try {
        const generation = target === 'CONFIG' ? 0 : newestOf(table.standing(target));
        const stored = await getManifest(this.#exchange, readFrom, signal);
        if (!stored) return undefined;
        const manifest = readManifest(stored, target, generation);
        this.#diagnosis.answered();
        if (manifest !== 'buried') this.remember(tag, manifest);
        return manifest;
      } catch (error) {
        await this.#diagnosis.explain(error, signal);
        throw error;
      }
    });
  }

  async #lookAgain(target: Target, signal: AbortSignal | undefined): Promise<ObjectManifest | undefined> {
    if (target === 'CONFIG' || this.#vainWalks >= MAX_VAIN_WALKS) return undefined;
    const { table } = this.#tags;
    const before = table.tagToRead(target);
    await this.#tags.walk([], signal);
    if (table.tagToRead(target) === before) {
      this.#vainWalks++;
      return undefined;
    }
    const found = await this.#lookUp(target, signal);
    return found === 'buried' ? undefined : found;
  }

  /** @throws KlosetError OBJECT_MISSING */
  async require(target: Target, signal: AbortSignal | undefined): Promise<ObjectManifest> {
    const manifest =
      (await this.find(target, signal)) ??
      (await this.#findLater(target, signal)) ??
      (await this.#findWithPatience(target, signal));
    if (manifest) return manifest;
    throw new KlosetError('OBJECT_MISSING', 'the store has no such object', {
      object: nameOf(target),
      registry: this.#place(),
      remedy: 'List what it has with "kloset-oci ls".',
    });
  }

  /**
   * An object whose first tag is gone may be there under a later one, where nobody has looked at the tags; and a lock
   * that is refreshed where tags are immutable leaves its last one any minute.
   */
  async #findLater(target: Target, signal: AbortSignal | undefined): Promise<ObjectManifest | undefined> {
    if (target === 'CONFIG') return undefined;
    const { table } = this.#tags;
    const mayBeLater = !table.known || (target.type === 'lock' && newestOf(table.standing(target)) > 0);
    return mayBeLater ? this.#lookAgain(target, signal) : undefined;
  }

  async #findWithPatience(
    target: Target,
    signal: AbortSignal | undefined,
  ): Promise<ObjectManifest | undefined> {
    // Locks come and go, and a configuration that is not there is the usual answer.
    if (target === 'CONFIG' || target.type === 'lock') return undefined;
    const { clock } = this.#exchange;
    const endMs = clock.now() + this.#patienceMs;
    for (let delayMs = FIRST_PATIENCE_MS; clock.now() + delayMs <= endMs; delayMs *= 2) {
      await clock.sleep(delayMs, signal);
      const manifest = await this.find(target, signal);
      if (manifest) return manifest;
    }
    return undefined;
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
