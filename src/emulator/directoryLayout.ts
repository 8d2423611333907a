import { join } from 'node:path';

/**
 * The folder of a registry. Repository names and digests have passed names.ts before they get here. No component of
 * a repository name starts with `_`, so the three folders of a repository never meet a nested repository.
 */
export class DirectoryLayout {
  readonly root: string;
  readonly uploads: string;
  readonly repositories: string;

  constructor(root: string) {
    this.root = root;
    this.uploads = join(root, 'uploads');
    this.repositories = join(root, 'repositories');
  }

  upload(id: string): string {
    return join(this.uploads, id);
  }

  blob(digest: string): string {
    return join(this.root, 'blobs', split(digest));
  }

  blobLink(repository: string, digest: string): string {
    return join(this.repositories, repository, '_blobs', split(digest));
  }

  manifest(repository: string, digest: string): string {
    return join(this.repositories, repository, '_manifests', split(digest));
  }

  tag(repository: string, tag: string): string {
    return join(this.repositories, repository, '_tags', tag);
  }
}

function split(digest: string): string {
  return digest.replace(':', '/');
}

const LINE_FEED = 10;

/** A manifest file: one line of JSON with what is remembered of it, then the manifest's own bytes. */
export function encodeManifest(record: object, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(record)}\n`), bytes]);
}

export function splitManifest(file: Buffer): { record: string; bytes: Buffer } {
  const at = file.indexOf(LINE_FEED);
  return { record: file.toString('utf8', 0, Math.max(at, 0)), bytes: file.subarray(at + 1) };
}
