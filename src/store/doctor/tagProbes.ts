import { nextLink } from '../../registry/linkHeader.ts';
import { getManifest } from '../../registry/manifests.ts';
import { listTags } from '../../registry/tags.ts';
import { withQuery } from '../../registry/uploadLocation.ts';
import { digestOf } from '../manifest.ts';
import { doctorManifest, newBlob } from './content.ts';
import { type DoctorContext, type Reply, said } from './context.ts';
import { type Finding, found, type Probe } from './finding.ts';
import { putOwn, settledAfterMs, tagA, tagB } from './manifests.ts';
import { storeWhole } from './store.ts';

/** Tags that are read at most: a store of a hundred thousand objects is not to be listed for a look at its pages. */
const MAX_LISTED = 20_000;

export const listing: Probe = {
  name: 'listing',
  title: 'List tags',
  needs: 'manifest',
  async run(context) {
    const { blob } = context;
    if (!blob) return [];
    const b = tagB(context);
    const put = await putOwn(context, b, doctorManifest(b, blob, 3, context.host.artifactTypeRefused));
    if (put.error) return [found(this, 'failed', `a second tag was refused: ${said(put)}`)];
    const wanted = new Set([tagA(context), b]);
    let listed = 0;
    for await (const tags of listTags(context.exchange, context.signal)) {
      for (const tag of tags) wanted.delete(tag);
      listed += tags.length;
      if (wanted.size === 0 || listed >= MAX_LISTED) break;
    }
    const complete =
      wanted.size === 0
        ? found(this, 'ok', 'what was stored is listed', { essential: true })
        : listed >= MAX_LISTED
          ? found(this, 'skipped', `not among the first ${MAX_LISTED} tags`)
          : found(this, 'failed', 'what was stored is not listed', { essential: true });
    return [complete, await pages(context)];
  },
};

const PAGES = { name: 'pagination', title: 'Pages of tags' };

async function pages(context: DoctorContext): Promise<Finding> {
  const url = withQuery(context.url('tags/list'), 'n', '1');
  const reply = await context.ask({ kind: 'tag-list', method: 'GET', url });
  if (reply.error) return found(PAGES, 'limited', `a page of one tag is refused (${said(reply)})`);
  const tags = tagsIn(reply);
  const link = nextLink(reply.headers.link);
  if (tags === undefined || tags.length > 1) {
    return found(PAGES, 'limited', 'the length of a page is ignored: all tags come at once');
  }
  if (link === undefined)
    return found(PAGES, 'limited', 'no Link to the next page; asked for by the last tag');
  const wellFormed = (reply.headers.link ?? '').trim().startsWith('<');
  return wellFormed
    ? found(PAGES, 'ok', 'with a Link to the next one')
    : found(PAGES, 'limited', 'with a malformed Link');
}

function tagsIn(reply: Reply): unknown[] | undefined {
  try {
    const { tags } = JSON.parse(reply.text) as { tags?: unknown };
    return Array.isArray(tags) ? tags : undefined;
  } catch {
    // Longer than what is kept of a body: certainly more than one.
    return undefined;
  }
}

export const deletion: Probe = {
  name: 'delete',
  title: 'Delete',
  needs: 'manifest',
  async run(context) {
    const byTag = await deleteReference(context, BY_TAG, tagB(context), tagB(context));
    const stored = await getManifest(context.exchange, tagA(context), context.signal);
    const digest = stored?.digest ?? (stored && digestOf(stored.bytes));
    const byDigest = digest
      ? await deleteByDigest(context, digest, byTag.verdict === 'ok')
      : found(BY_DIGEST, 'skipped', 'there is no manifest to delete');
    const blobs = await deleteBlobOfOwn(context);
    return [byTag, byDigest, blobs];
  },
};

const BY_TAG = { name: 'delete-tag', title: 'Delete by tag' };
const BY_DIGEST = { name: 'delete-digest', title: 'Delete by digest' };
const BLOBS = { name: 'delete-blob', title: 'Delete a blob' };

/** Google deletes by digest only what has no tag any more. */
async function deleteByDigest(context: DoctorContext, digest: string, untags: boolean): Promise<Finding> {
  const first = await deleteReference(context, BY_DIGEST, tagA(context), digest);
  if (first.verdict === 'ok') return { ...first, facts: { digestDelete: true, digestWhileTagged: true } };
  if (!untags) return first;
  await deleteReference(context, BY_TAG, tagA(context), tagA(context));
  const second = await deleteReference(context, BY_DIGEST, tagA(context), digest);
  if (second.verdict !== 'ok') return first;
  const facts = { digestDelete: true, digestWhileTagged: false };
  return { ...second, facts, verdict: 'limited', detail: `once no tag names it (before: ${first.detail})` };
}

async function deleteReference(
  context: DoctorContext,
  probe: typeof BY_TAG,
  tag: string,
  reference: string,
): Promise<Finding> {
  const { trash } = context;
  const fact = (value: boolean) => ({
    facts: probe === BY_TAG ? { tagDelete: value } : { digestDelete: value },
  });
  const url = context.url(`manifests/${reference}`);
  const reply = await context.ask({ kind: 'manifest-delete', method: 'DELETE', url });
  if (reply.error) {
    const { status } = reply;
    if (status === 401 || status === 403) {
      return found(probe, 'not possible', `the account may not, or the registry does not (${said(reply)})`);
    }
    return found(probe, 'not possible', said(reply), fact(false));
  }
  if ((await settledAfterMs(context, tag, undefined)) === undefined) {
    return found(probe, 'limited', `${said(reply)}, and it is still there`, fact(false));
  }
  trash.gone(tag);
  trash.gone(reference);
  return found(probe, 'ok', said(reply), fact(true));
}

async function deleteBlobOfOwn(context: DoctorContext): Promise<Finding> {
  const blob = newBlob(1024);
  const stored = await storeWhole(context, blob);
  if (stored !== 'stored') return found(BLOBS, 'skipped', said(stored));
  const url = context.url(`blobs/${blob.digest}`);
  const reply = await context.ask({ kind: 'blob-delete', method: 'DELETE', url });
  if (reply.error) return found(BLOBS, 'not possible', `${said(reply)}; a store does without`);
  context.trash.gone(blob.digest);
  return found(BLOBS, 'ok', said(reply));
}
