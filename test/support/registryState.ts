/** What is in a registry, seen from outside of our own client: tags by HTTP, blobs and uploads in its storage. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RealRegistry } from './realRegistries.ts';

/** All tags of a repository; none where the registry does not know it. */
export async function tagsOf(address: string, repository: string): Promise<string[]> {
  const tags: string[] = [];
  let next: string | undefined = `/v2/${repository}/tags/list?n=1000`;
  while (next !== undefined) {
    const answer: Response = await fetch(`http://${address}${next}`);
    if (answer.status === 404) return tags;
    if (!answer.ok) throw new Error(`tags of ${repository}: ${answer.status} ${await answer.text()}`);
    tags.push(...(((await answer.json()) as { tags: string[] | null }).tags ?? []));
    const link: string | undefined = answer.headers.get('link')?.match(/<([^>]+)>/)?.[1];
    next = link && new URL(link, 'http://registry').href.replace('http://registry', '');
  }
  return tags;
}

/** The first tags of the objects of one kind that are live: with a generation newer than their newest tombstone. */
export async function liveTags(address: string, repository: string, prefix: string): Promise<string[]> {
  const newest = new Map<string, { there: number; buried: number }>();
  for (const tag of await tagsOf(address, repository)) {
    const [, tombstone, first = '', number = '0'] = /^(tombstones-)?([^.]+)(?:\.(\d+))?$/.exec(tag) ?? [];
    if (!first.startsWith(`${prefix}-`)) continue;
    const known = newest.get(first) ?? { there: -1, buried: -1 };
    const kind = tombstone ? 'buried' : 'there';
    newest.set(first, { ...known, [kind]: Math.max(known[kind], Number(number)) });
  }
  return [...newest].filter(([, { there, buried }]) => there > buried).map(([tag]) => tag);
}

/** Upload sessions that are open: each registry has a folder of its own for them. */
export async function openUploads(registry: RealRegistry): Promise<string[]> {
  const files = await filesBelow(registry.folder);
  return files.filter((path) => /\/(_uploads|\.uploads|uploads)\//.test(path));
}

/** The files of blobs, largest first. Packfiles are the largest blobs of a store. */
export async function blobFiles(registry: RealRegistry): Promise<{ path: string; bytes: number }[]> {
  const files = (await filesBelow(registry.folder)).filter((path) =>
    /\/blobs\/sha256\/.*[0-9a-f]{64}(\/data)?$/.test(path),
  );
  const sized = await Promise.all(files.map(async (path) => ({ path, bytes: (await stat(path)).size })));
  return sized.sort((a, b) => b.bytes - a.bytes);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The layers of the object under a tag. */
export async function layersOf(
  address: string,
  repository: string,
  tag: string,
): Promise<{ digest: string; size: number }[]> {
  const headers = { Accept: 'application/vnd.oci.image.manifest.v1+json' };
  const answer = await fetch(`http://${address}/v2/${repository}/manifests/${tag}`, { headers });
  if (!answer.ok) throw new Error(`${tag}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { layers: { digest: string; size: number }[] }).layers;
}

/** The file that holds a blob. */
export async function blobPath(registry: RealRegistry, digest: string): Promise<string> {
  const hex = digest.replace('sha256:', '');
  const found = (await blobFiles(registry)).find(({ path }) => path.includes(hex));
  if (found === undefined) throw new Error(`${registry.name} has no file for ${digest}`);
  return found.path;
}
