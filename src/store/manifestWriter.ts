import type { HostMemory } from '../engine/hostMemory.ts';
import { isKlosetError, KlosetError } from '../errors.ts';
import type { Exchange } from '../registry/exchange.ts';
import { deleteManifest, getManifest, putManifest } from '../registry/manifests.ts';
import type { DeletionMemory } from './deletionMemory.ts';
import { buildManifest, digestOf, type Layer, type ObjectManifest, readManifest } from './manifest.ts';
import { CONFIG_TAG, type ObjectRef, tagOf } from './objectNames.ts';
import {
  generationToWrite,
  liveGenerations,
  newestOf,
  withGeneration,
  withoutGeneration,
} from './standing.ts';
import { sameBlobs } from './storedSource.ts';
import type { TagTable } from './tagTable.ts';

// A registry that has other content under this many tags in a row does not mean that they are immutable.
const MAX_GENERATIONS_TRIED = 16;

/** What a manifest writer works with. */
export interface ManifestWriterParts {
  readonly exchange: Exchange;
  readonly host: HostMemory;
  readonly table: TagTable;
  readonly memory: DeletionMemory;
}

/** Puts manifests under tags, in the form and under the tag that the registry takes. */
export class ManifestWriter {
  readonly #parts: ManifestWriterParts;
  /** Locks that this process has put: the first tag of them is taken. */
  readonly #locks = new Set<string>();

  constructor(parts: ManifestWriterParts) {
    this.#parts = parts;
  }

  /**
   * Makes an object of layers that the registry has. Where its tag cannot be written again, since tags are immutable
   * or it was deleted with a tombstone, a later generation is written.
   *
   * @throws KlosetError STORE_EXISTS for a second configuration where tags are immutable
   */
  async object(
    target: ObjectRef | 'CONFIG',
    layers: readonly Layer[],
    signal: AbortSignal | undefined,
  ): Promise<ObjectManifest> {
    if (target === 'CONFIG') return this.#config(layers, signal);
    const { table, memory } = this.#parts;
    const standing = table.standing(target);
    const previous = newestOf(standing);
    const known = memory.tagsMutable === false && this.#locks.has(tagOf(target));
    const first = known ? previous + 1 : generationToWrite(standing);
    for (let generation = first; ; generation++) {
      const build = (legacy: boolean) => buildManifest(target, layers, legacy, generation);
      const stored = await this.#put(tagOf(target, generation), build, signal, async (tag) => {
        const there = await this.#find(tag, target, generation, signal);
        return there && (there !== 'other' && sameBlobs(there.layers, layers) ? there : 'other');
      });
      if (stored === 'other') {
        if (generation - first >= MAX_GENERATIONS_TRIED) throw taken(tagOf(target));
        continue;
      }
      if (generation > first) memory.tagsMutable = false;
      table.note(target, withGeneration(table.standing(target), generation));
      table.noteStored(target);
      if (target.type === 'lock') await this.#lockWritten(target, generation, signal);
      return stored ?? { layers, ours: true, own: { digest: this.#digest(build), generation } };
    }
  }

  /**
   * Puts an empty artifact, whose bytes say all there is to say. Done, too, where just that is under the tag.
   *
   * @returns false where other content is under a tag that cannot be written again
   */
  async artifact(
    tag: string,
    build: (legacy: boolean) => Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const answer = await this.#put(tag, build, signal, async () => {
      const there = await getManifest(this.#parts.exchange, tag, signal);
      if (!there) return undefined;
      const digest = digestOf(there.bytes);
      return [true, false].some((legacy) => digestOf(build(legacy)) === digest) ? 'same' : 'other';
    });
    return answer !== 'other';
  }

  async #config(layers: readonly Layer[], signal: AbortSignal | undefined): Promise<ObjectManifest> {
    const build = (legacy: boolean) => buildManifest('CONFIG', layers, legacy);
    const stored = await this.#put(CONFIG_TAG, build, signal, async () => {
      const there = await this.#find(CONFIG_TAG, 'CONFIG', 0, signal);
      return there && (there !== 'other' && sameBlobs(there.layers, layers) ? there : 'other');
    });
    if (stored === 'other')
      throw new KlosetError('STORE_EXISTS', 'a store is there already; nothing was changed', {
        remedy: 'Choose another repository, or delete the store first.',
      });
    return stored ?? { layers, ours: true };
  }

  /**
   * Puts a manifest. After a refusal, `look` tells what is under the tag: undefined where nothing is, so that the
   * refusal was about something else. Its answer otherwise becomes that of the put.
   */
  async #put<T>(
    tag: string,
    build: (legacy: boolean) => Uint8Array,
    signal: AbortSignal | undefined,
    look: (tag: string) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const { exchange, host } = this.#parts;
    const put = (legacy: boolean) => putManifest(exchange, tag, build(legacy), signal);
    // As it is now: of many first puts at once, each one is refused, and the first to learn why tells the others.
    const plain = host.artifactTypeRefused;
    try {
      await put(plain);
      return undefined;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (!plain && mayBeAboutForm(error)) {
        try {
          await put(true);
          host.artifactTypeRefused = true;
          return undefined;
        } catch (second) {
          if (!isRefusal(second)) throw second;
        }
      }
      const there = await look(tag);
      if (there === undefined) throw error;
      return there;
    }
  }

  async #find(
    tag: string,
    target: ObjectRef | 'CONFIG',
    generation: number,
    signal: AbortSignal | undefined,
  ): Promise<ObjectManifest | 'other' | undefined> {
    const stored = await getManifest(this.#parts.exchange, tag, signal);
    if (!stored) return undefined;
    try {
      const manifest = readManifest(stored, target, generation);
      return manifest === 'buried' ? 'other' : manifest;
    } catch (error) {
      if (isKlosetError(error, 'MANIFEST_FOREIGN') || isKlosetError(error, 'MANIFEST_INVALID'))
        return 'other';
      throw error;
    }
  }

  /** Of the generations of a lock only the last one counts; an hour of refreshing would leave a dozen. */
  async #lockWritten(ref: ObjectRef, generation: number, signal: AbortSignal | undefined): Promise<void> {
    const { exchange, table, memory } = this.#parts;
    this.#locks.add(tagOf(ref));
    if (generation === 0 || memory.byTag === false) return;
    const older = liveGenerations(table.standing(ref)).filter((one) => one < generation);
    const last = older.at(-1);
    if (last === undefined) return;
    try {
      await deleteManifest(exchange, tagOf(ref, last), signal);
      table.note(ref, withoutGeneration(table.standing(ref), last));
    } catch {
      // It goes with the lock.
    }
  }

  #digest(build: (legacy: boolean) => Uint8Array): string {
    return digestOf(build(this.#parts.host.artifactTypeRefused));
  }
}

/** True for a manifest that is none of an object's. */
export function isForeign(error: unknown): boolean {
  return isKlosetError(error, 'MANIFEST_FOREIGN') || isKlosetError(error, 'MANIFEST_INVALID');
}

/** True for an answer that says no to just this request. */
export function isRefusal(error: unknown): error is KlosetError {
  if (!isKlosetError(error) || error.code === 'BLOB_MISSING' || error.code === 'RATE_LIMITED') return false;
  const { status } = error.details;
  return status !== undefined && [400, 403, 405, 409, 412, 415, 422].includes(status);
}

// ECR names the immutability of a tag; others have a status for it.
function mayBeAboutForm({ details }: KlosetError): boolean {
  const { status, registryCode } = details;
  return registryCode !== 'TAG_INVALID' && (status === 400 || status === 405 || status === 415);
}

function taken(tag: string): KlosetError {
  return new KlosetError('MANIFEST_FOREIGN', 'its tags are taken by other content', {
    object: tag,
    remedy: 'Something else writes to this repository: give the store one of its own.',
  });
}
