/** The next page of a tag list is asked for while the body of one is still on its way. */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/flow/clock.ts';
import { makeExchange } from '../../src/registry/exchange.ts';
import { httpTransport } from '../../src/registry/httpTransport.ts';
import { parseReference } from '../../src/registry/reference.ts';
import type { TagPage } from '../../src/registry/tagPage.ts';
import { listTagPages, listTags } from '../../src/registry/tags.ts';
import { type LocalServer, localServer } from '../support/localServer.ts';

type Answer = (response: ServerResponse) => void;

const bodyOf = (tags: readonly string[]) => JSON.stringify({ name: 'kloset/store', tags });

/** The head of a page, and half of its body. */
function begin(response: ServerResponse, tags: readonly string[], last?: string): () => void {
  const body = bodyOf(tags);
  const link = last === undefined ? {} : { Link: `<?n=1000&last=${last}>; rel="next"` };
  response.writeHead(200, { 'Content-Length': body.length, ...link });
  response.write(body.slice(0, 10));
  return () => response.end(body.slice(10));
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

const whole =
  (tags: readonly string[], last?: string): Answer =>
  (response) =>
    begin(response, tags, last)();

describe('pages that are asked for ahead', () => {
  const http = httpTransport();
  let server: LocalServer;
  afterEach(async () => {
    await http.close();
    await server.close();
  });

  /** A registry that answers by the tag that a page starts behind, '' for the first one. */
  async function serve(answers: (last: string) => Answer) {
    server = await localServer(undefined, (request, response) =>
      answers(new URL(request.url ?? '', 'http://registry').searchParams.get('last') ?? '')(response),
    );
    return makeExchange(parseReference(`oci://127.0.0.1:${server.port}/kloset/store`), http.send, {
      clock: new VirtualClock(),
    });
  }
  const asked = () =>
    server.seen.map(({ url }) => new URL(url, 'http://registry').searchParams.get('last') ?? '');

  test('a body comes to its end only after the next page was asked for', async () => {
    let endFirst = () => {};
    const exchange = await serve((last) => (response) => {
      if (last === '') endFirst = begin(response, ['a'], 'a');
      else {
        endFirst();
        whole(['b'])(response);
      }
    });
    expect(await all(listTags(exchange))).toEqual([['a'], ['b']]);
  });

  test('no more than two pages are under way', async () => {
    let endFirst = () => {};
    let firstIsWhole = false;
    const thirdIsInTime = Promise.withResolvers<boolean>();
    const exchange = await serve((last) => (response) => {
      if (last === '') endFirst = begin(response, ['a'], '1');
      else if (last === '1') {
        whole(['b'], '2')(response);
        // Once this is answered the second page is there as well.
        fetch(`http://127.0.0.1:${server.port}/?last=other`).then(() => {
          firstIsWhole = true;
          endFirst();
        });
      } else if (last === '2') {
        thirdIsInTime.resolve(firstIsWhole);
        whole(['c'])(response);
      } else response.end();
    });
    expect(await all(listTags(exchange))).toEqual([['a'], ['b'], ['c']]);
    expect(await thirdIsInTime.promise).toBe(true);
  });

  test('a body that broke off and came shorter the second time leaves no gap', async () => {
    let breakOff = () => {};
    let firstPages = 0;
    const exchange = await serve((last) => (response) => {
      if (last === 'a') whole(['b'], 'b')(response);
      else if (last === 'b') {
        // Asked for too early, and again when it is its turn.
        breakOff();
        whole(['c'])(response);
      } else if (firstPages++ > 0) whole(['a'], 'a')(response);
      else {
        begin(response, ['a', 'b'], 'b');
        breakOff = () => response.destroy();
      }
    });
    expect((await all(listTags(exchange))).flat()).toEqual(['a', 'b', 'c']);
    expect(asked().sort()).toEqual(['', '', 'a', 'b', 'b']);
  });

  test('whoever leaves, and whoever aborts, ends what is under way', async () => {
    const closed: Promise<unknown>[] = [];
    const exchange = await serve((last) => (response) => {
      if (last === '') whole(['a'], 'a')(response);
      else {
        begin(response, ['b'], 'b');
        closed.push(new Promise((resolve) => response.once('close', resolve)));
      }
    });
    for await (const _ of listTags(exchange)) {
      await expect.poll(() => closed.length).toBe(1);
      break;
    }
    await closed[0];
    const abort = new AbortController();
    const pages = listTags(exchange, abort.signal);
    await pages.next();
    await expect.poll(() => closed.length).toBe(2);
    abort.abort();
    await expect(pages.next()).rejects.toMatchObject({ code: 'CANCELLED' });
    await closed[1];
  });

  test('a full page without a link is counted by whoever reads it, and not parsed for that', async () => {
    const full = Array.from({ length: 1000 }, (_, at) => `tag-${at}`);
    const exchange = await serve((last) => whole(last === 'tag-999' ? ['last'] : full));
    const tags: string[] = [];
    const read = (page: TagPage) => page.read({ take: () => 0, takeOther: (tag) => tags.push(tag) });
    for await (const page of listTagPages(exchange)) expect(read(page)).toBe(true);
    expect(tags).toEqual([...full, 'last']);
    expect(asked()).toEqual(['', 'tag-999']);
  });
});
