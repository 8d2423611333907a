import type { ManifestRecord, StoredContent } from './storage.ts';
import { TagIndex } from './tagIndex.ts';

/** A blob and the number of repositories that link it. */
export interface BlobEntry {
  size: number;
  links: number;
}

export interface ManifestEntry extends ManifestRecord {
  readonly tags: Set<string>;
}

/** What one repository holds: names and sizes only, no content. */
export class Repository {
  readonly name: string;
  readonly blobs = new Map<string, BlobEntry>();
  readonly manifests = new Map<string, ManifestEntry>();
  readonly tags = new TagIndex();
  /** The digests of the manifests that name a subject, by subject. */
  readonly referrers = new Map<string, Set<string>>();
  /** True once there was a manifest, also when all are deleted. */
  everHadManifests = false;

  constructor(name: string) {
    this.name = name;
  }

  resolve(reference: string): ManifestEntry | undefined {
    return this.manifests.get(this.tags.get(reference) ?? reference);
  }

  addManifest(record: ManifestRecord): void {
    if (this.manifests.has(record.digest)) return;
    this.everHadManifests = true;
    this.manifests.set(record.digest, { ...record, tags: new Set() });
    if (record.subject === undefined) return;
    const known = this.referrers.get(record.subject);
    if (known) known.add(record.digest);
    else this.referrers.set(record.subject, new Set([record.digest]));
  }

  removeManifest(digest: string): void {
    const record = this.manifests.get(digest);
    if (!record) return;
    this.manifests.delete(digest);
    if (record.subject !== undefined) this.referrers.get(record.subject)?.delete(digest);
  }

  setTag(tag: string, digest: string): void {
    const before = this.tags.set(tag, digest);
    if (before !== undefined && before !== digest) this.manifests.get(before)?.tags.delete(tag);
    this.manifests.get(digest)?.tags.add(tag);
  }

  removeTag(tag: string): void {
    const digest = this.tags.get(tag);
    if (digest !== undefined) this.manifests.get(digest)?.tags.delete(tag);
    this.tags.delete(tag);
  }
}

/** The index of everything the registry holds. It lives in memory also when the content lives in a folder. */
export class Catalogue {
  readonly #repositories = new Map<string, Repository>();
  readonly #blobs = new Map<string, BlobEntry>();

  constructor(content: StoredContent) {
    for (const stored of content.repositories) {
      const repository = this.create(stored.name);
      for (const digest of stored.blobs) {
        const size = content.blobs.get(digest);
        if (size !== undefined) this.link(repository, digest, size);
      }
      for (const record of stored.manifests) repository.addManifest(record);
      for (const [tag, digest] of stored.tags) {
        if (repository.manifests.has(digest)) repository.setTag(tag, digest);
      }
    }
  }

  get(name: string): Repository | undefined {
    return this.#repositories.get(name);
  }

  get repositoryCount(): number {
    return this.#repositories.size;
  }

  /** The length of a blob that any repository has. */
  blobBytes(digest: string): number | undefined {
    return this.#blobs.get(digest)?.size;
  }

  create(name: string): Repository {
    let repository = this.#repositories.get(name);
    if (!repository) {
      repository = new Repository(name);
      this.#repositories.set(name, repository);
    }
    return repository;
  }

  link(repository: Repository, digest: string, size: number): void {
    let entry = this.#blobs.get(digest);
    if (!entry) {
      entry = { size, links: 0 };
      this.#blobs.set(digest, entry);
    }
    entry.size = size;
    if (repository.blobs.has(digest)) return;
    entry.links++;
    repository.blobs.set(digest, entry);
  }

  /** Returns true when no repository links the blob any more. */
  unlink(repository: Repository, digest: string): boolean {
    const entry = repository.blobs.get(digest);
    if (!entry) return false;
    repository.blobs.delete(digest);
    entry.links--;
    if (entry.links > 0) return false;
    this.#blobs.delete(digest);
    return true;
  }
}
