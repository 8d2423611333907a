import { CONFIG_TAG, type ObjectRef, refOfTag, tagOf } from './objectNames.ts';

/** What a tag of the repository is about. */
export type TagMeaning =
  | { readonly kind: 'config' | 'own' | 'attached' | 'foreign' }
  | { readonly kind: 'object' | 'tombstone'; readonly ref: ObjectRef; readonly generation: number };

const TOMBSTONE_PREFIX = 'tombstones-';
/** Tags of programs of ours that are no objects: what `doctor` and the benchmarks leave when they are killed. */
const OWN_PREFIX = 'kloset-oci-';

const GENERATION = /^(.+)\.([1-9][0-9]{0,8})$/;

// Signatures and the like, whose tags are made of the digest that they are about: `sha256-<hex>`, with a suffix by
// cosign, without one where a registry has no referrers. Artifactory lists the digests themselves as tags.
const ATTACHED = /^sha(?:256|512)[-:][0-9a-f]{64}/;

const CONFIG: TagMeaning = { kind: 'config' };
const OWN: TagMeaning = { kind: 'own' };
const ATTACHMENT: TagMeaning = { kind: 'attached' };
const FOREIGN: TagMeaning = { kind: 'foreign' };

/** Reads a tag. Of ours are only those that are written just so. */
export function meaningOf(tag: string): TagMeaning {
  if (tag === CONFIG_TAG) return CONFIG;
  // Nearly all tags are these.
  const ref = refOfTag(tag);
  if (ref) return { kind: 'object', ref, generation: 0 };
  const later = objectOf(tag);
  if (later) return { kind: 'object', ...later };
  if (tag.startsWith(TOMBSTONE_PREFIX)) {
    const buried = objectOf(tag.slice(TOMBSTONE_PREFIX.length));
    // What a later version may write: not read, and nobody else's.
    return buried ? { kind: 'tombstone', ...buried } : OWN;
  }
  if (tag.startsWith(OWN_PREFIX)) return OWN;
  return ATTACHED.test(tag) ? ATTACHMENT : FOREIGN;
}

/** The tag that hides an object: its generations up to this one are deleted. */
export function tombstoneTagOf(ref: ObjectRef, generation: number): string {
  return `${TOMBSTONE_PREFIX}${tagOf(ref, generation)}`;
}

function objectOf(tag: string): { ref: ObjectRef; generation: number } | undefined {
  const first = refOfTag(tag);
  if (first) return { ref: first, generation: 0 };
  const [, base = '', number = ''] = GENERATION.exec(tag) ?? [];
  const ref = refOfTag(base);
  return ref && { ref, generation: Number(number) };
}
