import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DirectoryLayout, splitManifest } from './directoryLayout.ts';
import { isDigest, isTag } from './names.ts';
import type { ManifestRecord, StoredContent, StoredRepository } from './storage.ts';

/**
 * Reads the index of a folder. Synchronous on purpose: it runs before the first request, and a hundred thousand
 * small reads are several times faster without the thread pool. What is not in the form that the registry writes
 * is passed over: it is not the registry's.
 */
export function loadDirectory(layout: DirectoryLayout): StoredContent {
  const blobs = new Map<string, number>();
  for (const digest of digestsIn(join(layout.root, 'blobs'))) {
    blobs.set(digest, statSync(layout.blob(digest)).size);
  }
  const repositories: StoredRepository[] = [];
  walk(layout, '', repositories);
  return { blobs, repositories };
}

function walk(layout: DirectoryLayout, name: string, found: StoredRepository[]): void {
  const folder = join(layout.repositories, name);
  let isRepository = false;
  for (const entry of entriesOf(folder)) {
    if (!entry.isDirectory()) continue;
    if (entry.name.startsWith('_')) isRepository = true;
    else walk(layout, name === '' ? entry.name : `${name}/${entry.name}`, found);
  }
  if (!isRepository || name === '') return;
  found.push({
    name,
    blobs: digestsIn(join(folder, '_blobs')),
    manifests: digestsIn(join(folder, '_manifests')).flatMap((digest) => {
      const { record } = splitManifest(readFileSync(layout.manifest(name, digest)));
      const parsed = parseRecord(record);
      return parsed?.digest === digest ? [parsed] : [];
    }),
    tags: entriesOf(join(folder, '_tags')).flatMap((entry) => {
      if (!entry.isFile() || !isTag(entry.name)) return [];
      const digest = readFileSync(layout.tag(name, entry.name), 'utf8').trim();
      return isDigest(digest) ? [[entry.name, digest] as const] : [];
    }),
  });
}

function parseRecord(text: string): ManifestRecord | undefined {
  try {
    return JSON.parse(text) as ManifestRecord;
  } catch {
    return undefined;
  }
}

function digestsIn(folder: string): string[] {
  const digests: string[] = [];
  for (const algorithm of ['sha256', 'sha512']) {
    for (const entry of entriesOf(join(folder, algorithm))) {
      const digest = `${algorithm}:${entry.name}`;
      if (entry.isFile() && isDigest(digest)) digests.push(digest);
    }
  }
  return digests;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
