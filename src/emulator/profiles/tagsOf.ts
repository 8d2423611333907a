import { type Answer, type AnswerHeaders, json } from '../answers.ts';
import type { Repository } from '../catalogue.ts';
import type { Call } from '../context.ts';
import type { Refusal, TagListProfile } from './profile.ts';
import { refuse } from './refusals.ts';

const BAD_NUMBER: Refusal = { status: 400, code: 'PAGINATION_NUMBER_INVALID', message: 'n is not a number' };

interface Page {
  readonly tags: readonly string[];
  readonly more: boolean;
}

/** The tag lists of a profile. */
export function tagsOf(profile: TagListProfile, secure: boolean): (call: Call) => Answer {
  const type = profile.contentType ?? 'application/json';
  const list = (call: Call, tags: readonly string[], headers: AnswerHeaders = {}) => {
    const none = tags.length === 0 && profile.empty === 'null';
    return json(200, { name: call.repository, tags: none ? null : tags }, headers, type);
  };
  return (call) => {
    const { known, query } = call;
    const asked = profile.unpaged ? null : query.get('n');
    const bad = asked !== null && (!/^[0-9]+$/.test(asked) || (Number(asked) === 0 && profile.badNumber));
    if (bad) {
      return refuse(profile.badNumber ?? BAD_NUMBER);
    }
    // A repository that only ever got blobs is as good as none to those who list manifests.
    if (!known?.everHadManifests) return profile.unknown ? refuse(profile.unknown) : list(call, []);
    if (known.manifests.size === 0 && profile.emptied) return refuse(profile.emptied);
    if (profile.unpaged) return list(call, allTags(profile, known));
    const { maxPage } = profile;
    let limit =
      asked === null ? (profile.page === 'all' ? Number.POSITIVE_INFINITY : profile.page) : Number(asked);
    if (maxPage && limit > maxPage.tags && asked !== null) {
      if (maxPage.refusal) return refuse(maxPage.refusal);
      limit = maxPage.tags;
    }
    const page = pageOf(profile, known, readLast(profile, query.get('last')), limit);
    if (!('tags' in page)) return page;
    const last = page.tags.at(-1);
    if (!page.more || last === undefined) return list(call, page.tags);
    return list(call, page.tags, { Link: linkTo(profile, call, limit, last, secure) });
  };
}

function pageOf(
  profile: TagListProfile,
  known: Repository,
  last: string | undefined,
  limit: number,
): Page | Answer {
  const { lastMissing } = profile;
  const gone = last !== undefined && known.tags.get(last) === undefined;
  if (gone && lastMissing !== undefined && lastMissing !== 'skips-one') return refuse(lastMissing);
  if (profile.order === 'sorted' && !profile.listsDigests) {
    if (!gone || lastMissing !== 'skips-one') return known.tags.page(last, limit);
    const { tags, more } = known.tags.page(last, limit + 1);
    return { tags: tags.slice(1), more };
  }
  const all = allTags(profile, known);
  const start = last === undefined ? 0 : all.indexOf(last) + 1;
  return { tags: all.slice(start, start + limit), more: start + limit < all.length };
}

function allTags(profile: TagListProfile, known: Repository): string[] {
  const tags =
    profile.order === 'sorted'
      ? known.tags.page(undefined, Number.POSITIVE_INFINITY).tags
      : known.tags.stored();
  if (!profile.listsDigests) return tags;
  const untagged = [...known.manifests.values()].filter((record) => record.tags.size === 0);
  return [...untagged.map((record) => record.digest), ...tags].sort();
}

function readLast(profile: TagListProfile, last: string | null): string | undefined {
  if (last === null) return undefined;
  return profile.token ? Buffer.from(last, 'base64url').toString('utf8') : last;
}

function linkTo(profile: TagListProfile, call: Call, limit: number, last: string, secure: boolean): string {
  const place = encodeURIComponent(profile.token ? Buffer.from(last).toString('base64url') : last);
  const path = `/v2/${call.repository}/tags/list?n=${limit}&last=${place}`;
  const host = `${secure ? 'https' : 'http'}://${call.headers.host ?? 'localhost'}`;
  if (profile.link === 'unbracketed') return `${host}${path}; rel=next`;
  return `<${profile.link === 'absolute' ? host : ''}${path}>; rel="next"`;
}
