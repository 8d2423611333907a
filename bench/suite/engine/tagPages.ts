/**
 * A registry that has nothing but tags, and its pages ready: `node tagPages.ts COUNT` prints `listening host:port`. What
 * a listing takes beyond it is the client's.
 */
import { createServer } from 'node:http';
import { tagOf } from '../../../src/store/objectNames.ts';
import { macOf } from '../../guard/bytes.ts';

const PAGE_TAGS = 1000;
const count = Number(process.argv[2]);

const tags = [
  'CONFIG',
  ...Array.from({ length: count }, (_, i) => tagOf({ type: 'packfile', mac: macOf(i) })),
];
/** Each page with the query that follows it, by the tag that it starts behind. */
const pages = new Map<string, { readonly body: Buffer; readonly link?: string }>();
for (let from = 0; from < tags.length; from += PAGE_TAGS) {
  const page = tags.slice(from, from + PAGE_TAGS);
  const body = Buffer.from(JSON.stringify({ name: 'bench/tags', tags: page }));
  const last = page.at(-1);
  const more = from + PAGE_TAGS < tags.length;
  pages.set(tags[from - 1] ?? '', {
    body,
    ...(more && { link: `</v2/bench/tags/tags/list?n=${PAGE_TAGS}&last=${last}>; rel="next"` }),
  });
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://tags');
  const page = pages.get(url.searchParams.get('last') ?? '');
  if (url.pathname !== '/v2/bench/tags/tags/list' || !page) {
    const status = url.pathname === '/v2/' ? 200 : 404;
    response.writeHead(status, { 'Content-Length': 2, 'Content-Type': 'application/json' }).end('{}');
    return;
  }
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': page.body.length,
    ...(page.link !== undefined && { Link: page.link }),
  });
  response.end(page.body);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object')
    process.stdout.write(`listening 127.0.0.1:${address.port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
