/**
 * What a registry was found to allow, as a plain object that can be kept. A field that is undefined is not known.
 * All of it can change: operators enable deletion, accounts get other rights. What is kept has to grow old.
 */
export interface DeletionMemory {
  /** DELETE of a tag works. */
  byTag?: boolean | undefined;
  /** DELETE of a digest works. */
  byDigest?: boolean | undefined;
  /** A tag can be put again with other content. */
  tagsMutable?: boolean | undefined;
  /** A manifest stays when its last tag goes, and is worth a request of its own. */
  digestAfterTag?: boolean | undefined;
  /** A digest can be deleted while a tag names it. */
  digestWhileTagged?: boolean | undefined;
}
