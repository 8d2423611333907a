/** Tag lists as registries really send them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type FaultAction,
  type FaultPlan,
  type RunningRegistry,
  startRegistry,
} from '../../src/emulator/index.ts';
import { VirtualClock } from '../../src/flow/clock.ts';
import { makeExchange } from '../../src/registry/exchange.ts';
import { httpTransport } from '../../src/registry/httpTransport.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { listTags } from '../../src/registry/tags.ts';

const PATH = '/v2/kloset/store/tags/list';
type TagRequest = Parameters<NonNullable<FaultPlan['before']>>[0];

function page(tags: unknown, link?: string, type = 'application/json'): FaultAction {
  const headers = { 'content-type': type, ...(link !== undefined && { link }) };
  return { kind: 'respond', status: 200, headers, body: JSON.stringify({ name: 'kloset/store', tags }) };
}

describe('tags', () => {
  let registry: RunningRegistry;
  const http = httpTransport();
  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(async () => {
    await http.close();
    await registry.close();
  });

  const list = async (answer: (request: TagRequest) => FaultAction | undefined) => {
    registry.setFaults({ before: answer });
    const reference = parseReference(`oci://${registry.address}/kloset/store`);
    const tags: string[] = [];
    for await (const page of listTags(makeExchange(reference, http.send, { clock: new VirtualClock() })))
      tags.push(...page);
    return tags;
  };
  /** Three pages, the links of which are spelled by the test. */
  const threePages = (link: (last: string) => string) =>
    list(({ query }) => {
      const last = query.get('last');
      if (last === null) return page(['b', 'a'], link('a'));
      return last === 'a' ? page(['d'], link('d')) : page(['c']);
    });

  test.each([
    ['relative', (last: string) => `<${PATH}?last=${last}&n=50>; rel="next"`],
    [
      'without brackets (Cloudflare)',
      (last: string) => `https://h.example${PATH}?n=50&last=${last}; rel=next`,
    ],
    [
      'absolute, with another host and scheme',
      (last: string) => `<https://h.example${PATH}?last=${last}>; rel="next"`,
    ],
    ['with another path (a proxy)', (last: string) => `</artifactory/v2/x/tags/list?last=${last}>; rel=next`],
    ['a query alone', (last: string) => `<?last=${last}>; rel=next`],
    ['among others', (last: string) => `<${PATH}>; rel="first", <${PATH}?last=${last}>; rel="next"`],
  ])('item 22: pages with a link that is %s, unsorted', async (_, link) => {
    expect(await threePages(link)).toEqual(['b', 'a', 'd', 'c']);
    expect(registry.countRequests()).toBe(3);
  });

  test('item 22: a list of null is empty', async () => {
    expect(await list(() => page(null))).toEqual([]);
  });

  test('item 22: a repository that is not known has no tags', async () => {
    expect(await list(() => undefined)).toEqual([]);
  });

  test('item 22: text/plain is read all the same', async () => {
    expect(await list(() => page(['a'], undefined, 'text/plain'))).toEqual(['a']);
  });

  test('item 22: digests among the tags are passed on for the store to leave out', async () => {
    expect(await list(() => page(['a', 'sha256-00']))).toEqual(['a', 'sha256-00']);
  });

  test('item 22: pages are asked for with no more than 1,000 tags', async () => {
    let asked = 0;
    await list(({ query }) => {
      asked = Number(query.get('n'));
      return page([]);
    });
    expect(asked).toBe(1000);
  });

  test('item 22: a link that loops ends the list', async () => {
    expect(new Set(await list(() => page(['a', 'b'], `<${PATH}?n=2&last=b>; rel="next"`)))).toEqual(
      new Set(['a', 'b']),
    );
    expect(registry.countRequests()).toBeLessThanOrEqual(3);
  });

  test('item 22: a page behind a tag that was deleted is 404 (zot): the list starts over', async () => {
    let second = 0;
    const tags = await list(({ query }) => {
      if (!query.has('last')) return page(['a', 'b'], `<${PATH}?last=b>; rel="next"`);
      return second++ === 0 ? { kind: 'respond', status: 404 } : page(['c']);
    });
    expect(new Set(tags)).toEqual(new Set(['a', 'b', 'c']));
    expect(registry.countRequests()).toBe(4);
  });

  test('item 22: a second page that is always 404 ends in an error, not in a short list', async () => {
    const listing = list(({ query }) =>
      query.has('last') ? { kind: 'respond', status: 404 } : page(['a'], `<${PATH}?last=a>; rel="next"`),
    );
    await expect(listing).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect(registry.countRequests()).toBe(8);
  });

  test('item 22: a full page without a link is asked on', async () => {
    const full = Array.from({ length: 1000 }, (_, at) => `tag-${at}`);
    const tags = await list(({ query }) => page(query.get('last') === 'tag-999' ? ['last'] : full));
    expect(tags.length).toBe(1001);
    expect(registry.countRequests()).toBe(2);
  });

  test.each(['<html>', '[]', '{"tags":[1]}', '{"tags":"x"}', 'null', ''])(
    'a list of %s is refused',
    async (body) => {
      const listing = list(() => ({ kind: 'respond', status: 200, body }));
      await expect(listing).rejects.toMatchObject({ code: 'REGISTRY_FOREIGN' });
    },
  );

  test('the next page is on its way while one is looked at', async () => {
    const asked = Promise.withResolvers<void>();
    registry.setFaults({
      before: ({ query }) => {
        if (query.get('last') === null) return page(['a'], `<${PATH}?last=a>; rel="next"`);
        asked.resolve();
        return page(['b']);
      },
    });
    const reference = parseReference(`oci://${registry.address}/kloset/store`);
    const pages = listTags(makeExchange(reference, http.send, { clock: new VirtualClock() }));
    expect((await pages.next()).value).toEqual(['a']);
    // Nobody has asked for it yet.
    await asked.promise;
    expect((await pages.next()).value).toEqual(['b']);
    expect((await pages.next()).done).toBe(true);
  });

  test('a page that was asked for ahead and fails is an error for the one who wants it', async () => {
    registry.setFaults({
      before: ({ query }) =>
        query.get('last') === null
          ? page(['a'], `<${PATH}?last=a>; rel="next"`)
          : { kind: 'respond', status: 200, headers: { 'content-type': 'text/html' }, body: '<html></html>' },
    });
    const reference = parseReference(`oci://${registry.address}/kloset/store`);
    const pages = listTags(makeExchange(reference, http.send, { clock: new VirtualClock() }));
    await pages.next();
    await expect(pages.next()).rejects.toMatchObject({ code: 'REGISTRY_FOREIGN' });
  });
});
