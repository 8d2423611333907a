import { isKlosetError, KlosetError } from '../errors.ts';
import { answerError, isHtml } from './answerErrors.ts';
import { type Exchange, repositoryUrl } from './exchange.ts';
import { nextLink } from './linkHeader.ts';
import { inMemory, sendAndRead } from './readWhole.ts';
import { describeReference } from './reference.ts';
import { TagPage } from './tagPage.ts';
import { withQuery } from './uploadLocation.ts';

// ECR refuses more than 1,000 a page, others cut it down by themselves.
const PAGE_TAGS = 1000;
// distribution 2 ignores the page size and sends all tags at once: 100,000 of ours are 8 MB.
const MAX_PAGE_BYTES = 256 * 1024 * 1024;
const MAX_RESTARTS = 3;
const NO_TAGS = Buffer.from('{}');

/** The tags of {@link listTagPages} as strings. */
export async function* listTags(
  exchange: Exchange,
  signal?: AbortSignal,
): AsyncGenerator<readonly string[], void, void> {
  for await (const { tags } of listTagPages(exchange, signal)) yield tags;
}

/**
 * All tags of the repository, page by page: handed on one by one through generators, 100,000 tags cost more than
 * fetching them. No more than two pages are under way, and in memory, beside the one that is looked at. A tag may come twice when the listing changes under the walk; a repository that the
 * registry does not know has none.
 */
export async function* listTagPages(
  exchange: Exchange,
  signal?: AbortSignal,
): AsyncGenerator<TagPage, void, void> {
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

async function* walk(exchange: Exchange, signal?: AbortSignal): AsyncGenerator<TagPage, void, void> {
  const stop = new AbortController();
  const pageSignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const first = withQuery(repositoryUrl(exchange, 'tags/list'), 'n', String(PAGE_TAGS));
  const seen = new Set([first.href]);
  const ask = (url: URL | undefined) => url && askForPage(exchange, url, url === first, pageSignal);
  try {
    let asked = ask(first);
    while (asked) {
      const { url, headLink, read }: AskedPage = asked;
      const early = await headLink;
      const ahead = behindLink(early, url, seen);
      // On its way while the body of this one still is, and while that is looked at.
      let next = ask(ahead);
      const { page, link }: ReadPage = await read;
      if (link !== early) {
        // The body broke off, and the list has changed until it came: what was asked for ahead leaves a gap behind it.
        if (ahead) seen.delete(ahead.href);
        next = ask(behindLink(link, url, seen));
      }
      yield page;
      // A page that is exactly full and names no successor: GHCR once forgot the link. Asking costs one request. And a
      // link that leads back would list for ever, while ending there would leave out tags without a word.
      if (!next && (link !== undefined || page.count === PAGE_TAGS)) next = ask(behindLast(page, url, seen));
      asked = next;
    }
  } finally {
    stop.abort();
  }
}

/** The page that a link names, where it was not asked for yet. */
function behindLink(link: string | undefined, url: URL, seen: Set<string>): URL | undefined {
  if (link === undefined) return undefined;
  // Behind proxies links name another scheme, port, host or path; credentials go to the registry alone. Only the
  // query counts: a list that ended at a link with an odd path would be short without a word.
  const next = new URL(url);
  next.search = queryOf(link);
  return unseen(next, seen);
}

/** The page that the specification puts behind the last tag of this one, where it was not asked for yet. */
function behindLast(page: TagPage, url: URL, seen: Set<string>): URL | undefined {
  const { last } = page;
  if (last === undefined) return undefined;
  const next = new URL(url);
  next.search = '';
  return unseen(withQuery(withQuery(next, 'n', String(PAGE_TAGS)), 'last', last), seen);
}

function unseen(url: URL, seen: Set<string>): URL | undefined {
  if (seen.has(url.href)) return undefined;
  seen.add(url.href);
  return url;
}

function queryOf(link: string): string {
  const at = link.indexOf('?');
  return at < 0 ? '' : link.slice(at);
}

interface ReadPage {
  readonly page: TagPage;
  readonly link: string | undefined;
}

interface AskedPage {
  readonly url: URL;
  /** What the first answer links to, as soon as its head is there: its body may break off, and another one follow. */
  readonly headLink: Promise<string | undefined>;
  readonly read: Promise<ReadPage>;
}

function askForPage(exchange: Exchange, url: URL, isFirst: boolean, signal: AbortSignal): AskedPage {
  const head = Promise.withResolvers<string | undefined>();
  const read = readPage(exchange, url, isFirst, signal, head.resolve);
  // A failure counts for whoever reads the page.
  const over = () => head.resolve(undefined);
  read.then(over, over);
  return { url, headLink: head.promise, read };
}

async function readPage(
  exchange: Exchange,
  url: URL,
  isFirst: boolean,
  signal: AbortSignal,
  onLink: (link: string | undefined) => void,
): Promise<ReadPage> {
  const request = { kind: 'tag-list', method: 'GET', url, signal } as const;
  const registry = describeReference(exchange.reference);
  const { answer, bytes } = await sendAndRead(exchange, request, [200, 404], {
    limitBytes: MAX_PAGE_BYTES,
    what: 'the tag list',
    details: { registry },
    onHead: ({ status, headers }) => {
      if (status === 200) onLink(nextLink(headers.link));
    },
  });
  if (answer.status === 404) {
    const error = await answerError(inMemory(answer, bytes), request, { registry });
    if (error.code === 'REGISTRY_FOREIGN') throw error;
    if (isFirst) return { page: new TagPage(NO_TAGS, { registry, isHtml: false }), link: undefined };
    throw new KlosetError('OBJECT_MISSING', 'the listing broke off', error.details);
  }
  const page = new TagPage(bytes, { registry, isHtml: isHtml(answer, '') });
  return { page, link: nextLink(answer.headers.link) };
}
