import { isKlosetError, KlosetError } from '../errors.ts';
import type { Exchange } from '../registry/exchange.ts';
import { deleteManifest, getManifest, putManifest } from '../registry/manifests.ts';
import type { DeletionMemory } from './deletionMemory.ts';
import type { EmptyConfig } from './emptyConfig.ts';
import { buildManifest, buildTombstone, readManifest } from './manifest.ts';
import { isForeign, isRefusal, type ManifestWriter } from './manifestWriter.ts';
import { type ObjectRef, tagOf } from './objectNames.ts';
import type { Resolver } from './resolver.ts';
import { liveGenerations, newestOf, withoutGeneration, withTombstone } from './standing.ts';
import { tombstoneTagOf } from './tagNames.ts';
import type { TagTable } from './tagTable.ts';

/** What a deletion works with. */
export interface DeletionParts {
  readonly exchange: Exchange;
  readonly memory: DeletionMemory;
  readonly table: TagTable;
  readonly writer: ManifestWriter;
  /** The blob that a tombstone names. */
  readonly emptyConfig: EmptyConfig;
  readonly resolver: Resolver;
}

/**
 * How an object was deleted: `deleted` by tag or digest; `hidden` by a tombstone, with its tags moved to an empty
 * artifact; `kept`, hidden by a tombstone alone; `absent` when there was nothing to delete.
 */
export type DeletionOutcome = 'deleted' | 'hidden' | 'kept' | 'absent';

/** What a registry says to a DELETE. */
type DeleteAnswer =
  | 'gone'
  | 'missing'
  /** It never does this. */
  | 'unsupported'
  /** Not while a tag names it. */
  | 'tagged'
  /** Not this one: an immutable tag, or a right that is missing. */
  | 'protected';

/**
 * A manifest that no other tag of the store has; `shared` for one that others may have: those of the Go connector are
 * equal where payloads are.
 */
type OwnManifest = { readonly digest: string } | 'shared' | 'missing';

/** A deletion that only gives room back, in milliseconds: one as slow as this is not asked for again. */
const SLOW_RECLAIM_MS = 2000;
/** And this is how long it is waited for. */
const MAX_RECLAIM_MS = 10_000;
/** Cloudflare's registry deletes a thousand entries a request, and says so until it is through. */
const MAX_CONTINUATIONS = 50;

/**
 * Deletes objects by what a registry allows, in this order: the tag; the digest, where the manifest is provably of
 * this object alone; a tombstone. What was refused once is not asked for again.
 */
export class DeletionLadder {
  readonly #parts: DeletionParts;

  constructor(parts: DeletionParts) {
    this.#parts = parts;
  }

  /**
   * Deletes all generations of an object, the oldest first, so that the object is whole until it is gone.
   *
   * @throws KlosetError DELETE_UNSUPPORTED where the registry takes no tombstone either
   */
  async delete(ref: ObjectRef, signal: AbortSignal | undefined): Promise<DeletionOutcome> {
    const { table } = this.#parts;
    const generations = liveGenerations(table.standing(ref));
    if (generations.length === 0) return 'absent';
    for (const generation of generations) {
      const answer = await this.#remove(ref, generation, signal);
      if (answer !== 'gone') return this.#bury(ref, answer, signal);
      table.note(ref, withoutGeneration(table.standing(ref), generation));
    }
    return 'deleted';
  }

  async #remove(
    ref: ObjectRef,
    generation: number,
    signal: AbortSignal | undefined,
  ): Promise<'gone' | 'refused' | 'protected'> {
    const { memory, exchange } = this.#parts;
    const tag = tagOf(ref, generation);
    let own: OwnManifest | undefined;
    if (memory.byTag !== false) {
      if (this.#reclaimsByDigest(ref)) own = await this.#manifest(ref, generation, signal);
      if (own === 'missing') return 'gone';
      const answer = await this.#ask(tag, signal);
      if (answer === 'gone') {
        memory.byTag = true;
        await this.#reclaim(own, signal);
        return 'gone';
      }
      // ECR once answered 404 to every deletion by tag.
      if (answer === 'missing' && (memory.byTag || !(await getManifest(exchange, tag, signal))))
        return 'gone';
      if (answer === 'protected') return 'protected';
      memory.byTag = false;
    }
    if (!this.#mayDeleteByDigest() || memory.digestWhileTagged === false) return 'refused';
    own ??= await this.#manifest(ref, generation, signal);
    if (own === 'shared') own = await this.#makeOwn(ref, generation, signal);
    if (own === 'missing') return 'gone';
    if (own === 'shared') return 'refused';
    const answer = await this.#ask(own.digest, signal);
    if (answer === 'gone' || answer === 'missing') {
      exchange.recentTags.deleted(tag);
      return 'gone';
    }
    if (answer === 'unsupported') memory.byDigest = false;
    if (answer === 'tagged') memory.digestWhileTagged = false;
    return answer === 'protected' ? 'protected' : 'refused';
  }

  /**
   * The tombstone comes first: between the two writes the object is deleted and whole, and never there and empty.
   * Locks keep their content, which is a few hundred bytes: to other programs they look like old ones, and not broken.
   */
  async #bury(
    ref: ObjectRef,
    reason: 'refused' | 'protected',
    signal: AbortSignal | undefined,
  ): Promise<DeletionOutcome> {
    const { table, writer, memory, emptyConfig } = this.#parts;
    const standing = table.standing(ref);
    const newest = newestOf(standing);
    const build = (legacy: boolean) => buildTombstone(ref, newest, legacy);
    await emptyConfig.ensure();
    await writer.artifact(tombstoneTagOf(ref, newest), build, signal).catch((cause) => {
      if (!isRefusal(cause)) throw cause;
      throw new KlosetError('DELETE_UNSUPPORTED', `the registry deletes nothing, and ${cause.summary}`, {
        remedy: 'Enable deletion in the registry, or give the account the right to write.',
        ...cause.details,
        cause,
      });
    });
    table.note(ref, withTombstone(standing, newest));
    if (ref.type === 'lock' || reason === 'protected' || memory.tagsMutable === false) return 'kept';
    for (const generation of liveGenerations(standing)) {
      const moved = await this.#moveTag(ref, generation, build, signal);
      if (!moved) return 'kept';
    }
    return 'hidden';
  }

  /** Moves a tag of a deleted object to the empty artifact, so that the registry can collect the payload. */
  async #moveTag(
    ref: ObjectRef,
    generation: number,
    build: (legacy: boolean) => Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { memory, writer } = this.#parts;
    try {
      const own = this.#reclaimsByDigest(ref) ? await this.#manifest(ref, generation, signal) : undefined;
      // A tag that is gone must not come back.
      if (own === 'missing') return true;
      if (!(await writer.artifact(tagOf(ref, generation), build, signal))) {
        memory.tagsMutable = false;
        return false;
      }
      // Docker Hub deletes a digest once no tag names it.
      await this.#reclaim(own, signal);
      return true;
    } catch (error) {
      // The object is deleted; that its room is not given back yet is no failure of the deletion.
      if (signal?.aborted || !isKlosetError(error)) throw error;
      return false;
    }
  }

  /** Never where tags of others are: one of them may name the same manifest, and would go with it. */
  #mayDeleteByDigest(): boolean {
    const { memory, table } = this.#parts;
    return memory.byDigest !== false && table.foreign === undefined;
  }

  /** Whether a manifest whose tag was deleted is worth a further request. A lock is a few hundred bytes. */
  #reclaimsByDigest(ref: ObjectRef): boolean {
    return ref.type !== 'lock' && this.#mayDeleteByDigest() && this.#parts.memory.digestAfterTag !== false;
  }

  /**
   * Deletes a manifest that no tag names any more. Many registries keep it, with its payload, until somebody cleans up;
   * some drop it with the tag; and CNCF distribution reads every tag of the repository for it, which takes minutes
   * in a large one on object storage.
   */
  async #reclaim(own: OwnManifest | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (typeof own !== 'object') return;
    const { memory, exchange } = this.#parts;
    const startedMs = exchange.clock.now();
    try {
      const limit = AbortSignal.timeout(MAX_RECLAIM_MS);
      const answer = await this.#ask(own.digest, signal ? AbortSignal.any([signal, limit]) : limit);
      const slow = exchange.clock.now() - startedMs > SLOW_RECLAIM_MS;
      if (answer !== 'gone' || slow) memory.digestAfterTag = false;
      if (answer === 'unsupported') memory.byDigest = false;
    } catch (error) {
      // What was asked for is done.
      if (signal?.aborted || !isKlosetError(error)) throw error;
      memory.digestAfterTag = false;
    }
  }

  /** The manifest under a tag, where it says itself that it is of this generation of this object. */
  async #manifest(ref: ObjectRef, generation: number, signal: AbortSignal | undefined): Promise<OwnManifest> {
    const { exchange, resolver } = this.#parts;
    const known = resolver.known(ref)?.own;
    if (known?.generation === generation) return known;
    const stored = await getManifest(exchange, tagOf(ref, generation), signal);
    if (!stored) return 'missing';
    try {
      const manifest = readManifest(stored, ref, generation);
      return manifest === 'buried' ? 'missing' : (manifest.own ?? 'shared');
    } catch (error) {
      if (isForeign(error)) return 'shared';
      throw error;
    }
  }

  /**
   * Moves a tag from a manifest that others may have, which are those of the Go connector, to one of its own.
   *
   * @throws KlosetError MANIFEST_INVALID, MANIFEST_FOREIGN for what no object has as its manifest
   */
  async #makeOwn(ref: ObjectRef, generation: number, signal: AbortSignal | undefined): Promise<OwnManifest> {
    const { exchange, resolver } = this.#parts;
    const tag = tagOf(ref, generation);
    const stored = await getManifest(exchange, tag, signal);
    const manifest = stored && readManifest(stored, ref, generation);
    if (manifest === undefined || manifest === 'buried') return 'missing';
    try {
      // With the lengths that the registry knows: cut off here, the object has to be whole under this manifest.
      const layers = await resolver.trueLayers(manifest, signal);
      await putManifest(exchange, tag, buildManifest(ref, layers, true, generation), signal);
    } catch (error) {
      // Without its payload it cannot have a manifest, and can still be hidden.
      if (isRefusal(error) || isKlosetError(error, 'BLOB_MISSING')) return 'shared';
      throw error;
    }
    return this.#manifest(ref, generation, signal);
  }

  async #ask(reference: string, signal: AbortSignal | undefined): Promise<DeleteAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await deleteManifest(this.#parts.exchange, reference, signal);
      } catch (error) {
        const answer = answerOf(error, reference.includes(':'));
        if (answer === 'more' && attempt < MAX_CONTINUATIONS) continue;
        if (answer === undefined || answer === 'more') throw error;
        return answer;
      }
    }
  }
}

/** What a refusal means; `more` when the same request has to be made again; undefined for what is no refusal. */
function answerOf(error: unknown, byDigest: boolean): DeleteAnswer | 'more' | undefined {
  if (!isKlosetError(error)) return undefined;
  const { status, registryCode } = error.details;
  if (error.code === 'RATE_LIMITED') return undefined;
  if (registryCode === 'MANIFEST_TAGS') return 'more';
  if (registryCode === 'GOOGLE_MANIFEST_DANGLING_TAG') return 'tagged';
  switch (status) {
    case 400: // Harbor says UNSUPPORTED, distribution 2 DIGEST_INVALID to a tag.
    case 405:
    case 501:
      return 'unsupported';
    case 403: // Docker Hub to a digest that a tag names.
      return byDigest ? 'tagged' : 'protected';
    case 401:
    case 409:
    case 412:
      return 'protected';
    default:
      return undefined;
  }
}
