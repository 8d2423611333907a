import { isKlosetError, KlosetError } from '../errors.ts';
import { answerError, isHtml } from './answerErrors.ts';
import { type Exchange, repositoryUrl } from './exchange.ts';
import { nextLink } from './linkHeader.ts';
import { inMemory, sendAndRead } from './readWhole.ts';
import { describeReference } from './reference.ts';
import { withQuery } from './uploadLocation.ts';

// ECR refuses more than 1,000 a page, others cut it down by themselves.
const PAGE_TAGS = 1000;
// distribution 2 ignores the page size and sends all tags at once: 100,000 of ours are 8 MB.
const MAX_PAGE_BYTES = 256 * 1024 * 1024;
const MAX_RESTARTS = 3;

/**
 * All tags of the repository, page by page: handed on one by one through generators, 100,000 tags cost more than
 * fetching and parsing them. A tag may come twice when the listing changes under the walk; a repository that the
 * registry does not know has none.
 */
export async function* listTags(
  exchange: Exchange,
  signal?: AbortSignal,
): AsyncGenerator<readonly string[], void, void> {
  for (let restart = 0; ; restart++) {
    try {
      yield* walk(exchange, signal);
      return;
    } catch (error) {
      // zot answers 404 when the tag that the page starts behind was deleted meanwhile.
      if (!isKlosetError(error, 'OBJECT_MISSING') || restart >= MAX_RESTARTS) throw error;
    }
  }
}

async function* walk(
  exchange: Exchange,
  signal?: AbortSignal,
): AsyncGenerator<readonly string[], void, void> {
  const stop = new AbortController();
  const pageSignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const first = withQuery(repositoryUrl(exchange, 'tags/list'), 'n', String(PAGE_TAGS));
  const seen = new Set([first.href]);
  let next: { readonly url: URL; readonly page: Promise<Page> } | undefined = {
    url: first,
    page: readPage(exchange, first, true, pageSignal),
  };
  try {
    while (next) {
      const { url, page: coming }: { url: URL; page: Promise<Page> } = next;
      const page = await coming;
      const follower = following(page, url, seen);
      next = follower && { url: follower, page: readPage(exchange, follower, false, pageSignal) };
      // It is on its way while this page is looked at. Its failure counts once it is asked for.
      next?.page.catch(() => {});
      yield page.tags;
    }
  } finally {
    stop.abort();
  }
}

/** The page behind another one, where there is one that was not asked for yet. */
function following(page: Page, url: URL, seen: Set<string>): URL | undefined {
  let next = followUp(page, url);
  // A link that leads back would list for ever, and ending there would leave out tags without a word.
  if (next && seen.has(next.href)) next = behindLast(page, url);
  if (!next || seen.has(next.href)) return undefined;
  seen.add(next.href);
  return next;
}

interface Page {
  readonly tags: readonly string[];
  readonly link: string | undefined;
}

function followUp(page: Page, url: URL): URL | undefined {
  if (page.link !== undefined) {
    // Behind proxies links name another scheme, port, host or path; credentials go to the registry alone. Only the
    // query counts: a list that ended at a link with an odd path would be short without a word.
    const next = new URL(url);
    next.search = queryOf(page.link);
    return next;
  }
  // A page that is exactly full and names no successor: GHCR once forgot the link. Asking costs one request.
  return page.tags.length === PAGE_TAGS ? behindLast(page, url) : undefined;
}

/** The page that the specification puts behind the last tag of this one. */
function behindLast(page: Page, url: URL): URL | undefined {
  const last = page.tags.at(-1);
  if (last === undefined) return undefined;
  const next = new URL(url);
  next.search = '';
  return withQuery(withQuery(next, 'n', String(PAGE_TAGS)), 'last', last);
}

function queryOf(link: string): string {
  const at = link.indexOf('?');
  return at < 0 ? '' : link.slice(at);
}

async function readPage(exchange: Exchange, url: URL, isFirst: boolean, signal?: AbortSignal): Promise<Page> {
  const request = { kind: 'tag-list', method: 'GET', url, signal } as const;
  const registry = describeReference(exchange.reference);
  const { answer, bytes } = await sendAndRead(exchange, request, [200, 404], {
    limitBytes: MAX_PAGE_BYTES,
    what: 'the tag list',
    details: { registry },
  });
  if (answer.status === 404) {
    const error = await answerError(inMemory(answer, bytes), request, { registry });
    if (error.code === 'REGISTRY_FOREIGN') throw error;
    if (isFirst) return { tags: [], link: undefined };
    throw new KlosetError('OBJECT_MISSING', 'the listing broke off', error.details);
  }
  return { tags: parseTags(bytes, isHtml(answer, ''), registry), link: nextLink(answer.headers.link) };
}

function parseTags(bytes: Uint8Array, html: boolean, registry: string): string[] {
  try {
    const parsed: unknown = JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'),
    );
    // Without tags is empty; but only an object is a tag list at all.
    const tags = Array.isArray(parsed) ? undefined : ((parsed as { tags?: unknown }).tags ?? []);
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags;
  } catch {
    // Told below.
  }
  throw new KlosetError('REGISTRY_FOREIGN', `the tag list is ${html ? 'a web page' : 'no tag list'}`, {
    registry,
    remedy: 'Check host, port and path of the location.',
  });
}
