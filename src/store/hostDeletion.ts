import type { HostMemory } from '../engine/hostMemory.ts';
import type { DeletionMemory } from './deletionMemory.ts';

/** What a registry allows to delete, as a part of what is known of its host. */
export class HostDeletion implements DeletionMemory {
  /** Also says that a registry was slow at it: good for this process, and no more. */
  digestAfterTag: boolean | undefined;
  readonly #host: HostMemory;

  constructor(host: HostMemory) {
    this.#host = host;
  }

  get byTag(): boolean | undefined {
    return this.#host.facts.tagDelete;
  }

  set byTag(value: boolean | undefined) {
    this.#host.learn({ tagDelete: value });
  }

  get byDigest(): boolean | undefined {
    return this.#host.facts.digestDelete;
  }

  set byDigest(value: boolean | undefined) {
    this.#host.learn({ digestDelete: value });
  }

  get tagsMutable(): boolean | undefined {
    return this.#host.facts.tagsMutable;
  }

  set tagsMutable(value: boolean | undefined) {
    this.#host.learn({ tagsMutable: value });
  }

  get digestWhileTagged(): boolean | undefined {
    return this.#host.facts.digestWhileTagged;
  }

  set digestWhileTagged(value: boolean | undefined) {
    this.#host.learn({ digestWhileTagged: value });
  }
}
