import type { Repository } from '../catalogue.ts';
import type { Context } from '../context.ts';
import { readManifestContent } from '../manifestContent.ts';

/** True when a manifest of the repository names the blob or manifest. Reads them all: deletions are rare. */
export async function isReferenced(
  context: Context,
  repository: Repository | undefined,
  digest: string,
): Promise<boolean> {
  for (const record of repository?.manifests.values() ?? []) {
    const bytes = await context.storage.readManifest(repository?.name ?? '', record.digest);
    const content = bytes && readManifestContent(bytes);
    if (!content || typeof content === 'string') continue;
    if (content.blobs.includes(digest) || content.manifests.includes(digest)) return true;
  }
  return false;
}
