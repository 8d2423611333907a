/** Pages that are read from their bytes say what a parser for JSON and {@link meaningOf} say of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TagPage } from '../../src/registry/tagPage.ts';
import { OBJECT_TYPES, type ObjectRef, refOfTag, tagOf } from '../../src/store/objectNames.ts';
import { RegularTags } from '../../src/store/regularTags.ts';
import { tombstoneTagOf } from '../../src/store/tagNames.ts';
import { liveObjects, surveyTags } from '../../src/store/tagSurvey.ts';

type Page = Pick<TagPage, 'read' | 'tags'>;
const ORIGIN = { registry: 'registry.example', isHtml: false };

const anyRef: fc.Arbitrary<ObjectRef> = fc
  .tuple(fc.constantFrom(...OBJECT_TYPES), fc.nat(9))
  .map(([type, number]) => ({ type, mac: number.toString(16).padStart(64, 'e') }));
const regular = anyRef.map((ref) => tagOf(ref));
/** What comes near a regular tag, and is none, or one of another kind. */
const odd = fc.oneof(
  fc.tuple(anyRef, fc.nat(3)).map(([ref, generation]) => tagOf(ref, generation)),
  fc.tuple(anyRef, fc.nat(3)).map(([ref, generation]) => tombstoneTagOf(ref, generation)),
  regular.map((tag) => tag.toUpperCase()),
  regular.map((tag) => tag.replace(/e/, 'E')),
  regular.map((tag) => tag.slice(1)),
  regular.map((tag) => tag.slice(0, -1)),
  regular.map((tag) => `${tag}0`),
  regular.map((tag) => `${tag.slice(0, -1)}g`),
  regular.map((tag) => `${tag.slice(0, -2)}é`),
  fc.constantFrom(
    'CONFIG',
    'latest',
    '',
    '"',
    '\\',
    '/',
    '\n',
    '\u007f',
    '\u2028',
    '😀',
    '\ud800',
    'packfiles-',
  ),
  fc.string(),
);
const tagList = fc.array(fc.oneof({ weight: 4, arbitrary: regular }, odd), { maxLength: 8 });

/** The ways in which a list may be written, the usual one first. */
const FORMS: readonly ((tags: readonly string[], name: string) => string)[] = [
  (tags, name) => JSON.stringify({ name, tags }),
  (tags, name) => `${JSON.stringify({ name, tags })}\n`,
  (tags, name) => `${JSON.stringify({ name, tags })} \r\n`,
  (tags, name) => JSON.stringify({ tags, name }),
  (tags, name) => JSON.stringify({ name, tags }, undefined, 1),
  (tags, name) => JSON.stringify({ name, tags }).replaceAll(',', ', '),
  (tags, name) => JSON.stringify({ name, tags, next: 'x' }),
  (tags, name) => JSON.stringify({ name, tags: [...tags, null] }),
  (tags, name) => JSON.stringify({ name, tags: [...tags, tags] }),
  (tags, name) => JSON.stringify({ name, tags: { tags } }),
  (tags, name) => JSON.stringify({ name, inner: { name, tags } }),
  (tags, name) => `{"name":${JSON.stringify(name)},"tags":${JSON.stringify(tags)},"tags":["latest"]}`,
  (tags, name) =>
    `{"name":"","tags":["latest"],"tags":${JSON.stringify(tags)},"name":${JSON.stringify(name)}}`,
  (tags, name) => `${JSON.stringify({ name, tags })}${JSON.stringify({ name, tags })}`,
  (tags, name) => `\ufeff${JSON.stringify({ name, tags })}`,
  (tags, name) => JSON.stringify({ name, tags }).replaceAll('packfiles', 'pack\\u0066iles'),
  (tags, name) => JSON.stringify({ name, tags }).replaceAll('-', '\\u002d'),
  (tags) => JSON.stringify(tags),
  (_, name) => JSON.stringify({ name, tags: null }),
  (_, name) => JSON.stringify({ name }),
];
const written = fc
  .tuple(
    fc.oneof(fc.nat(1), fc.nat(FORMS.length - 1)),
    fc.oneof(tagList, fc.array(regular, { maxLength: 8 })),
    fc.constantFrom('kloset/store', 'a"b', 'a\\b', 'é', ''),
  )
  .map(([form, tags, name]) => Buffer.from((FORMS[form] ?? FORMS[0])?.(tags, name) ?? ''));

/** A change of the bytes at a place, which is counted from the start or from the end. */
const change = fc.record({
  at: fc.oneof(
    fc.nat(60),
    fc.nat(60).map((place) => -place),
    fc.nat(900),
  ),
  remove: fc.constantFrom(0, 0, 1, 1, 2, 75, 2000),
  insert: fc.oneof(
    fc.constantFrom(
      ...['"', '\\', ',', ' ', ']', '}', '[', '\n', '\0', '","', '\\"', '"]}', '"]}\n'].map(Buffer.from),
    ),
    fc.uint8Array({ maxLength: 3 }),
  ),
});
const mutated = fc.tuple(written, fc.array(change, { maxLength: 2 })).map(([body, changes]) =>
  changes.reduce((bytes, { at, remove, insert }) => {
    const from = Math.min(bytes.length, at < 0 ? Math.max(0, bytes.length + at) : at);
    return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
  }, body),
);

/** All that a survey says, in a form that can be compared. */
async function told(pages: readonly Page[]): Promise<unknown> {
  async function* all() {
    yield* pages;
  }
  try {
    const survey = await surveyTags(all(), OBJECT_TYPES);
    const { holdsConfig, foreign, irregular, macs } = survey;
    // In no order: those that need a string come after the others of their page.
    const listed = [...macs].map(([type, set]) => [type, [...set].sort()]);
    const live = [...liveObjects(survey, OBJECT_TYPES)].sort((one, other) =>
      tagOf(one) < tagOf(other) ? -1 : 1,
    );
    return { holdsConfig, foreign, irregular, listed, live };
  } catch (error) {
    return error;
  }
}

const byParser = (body: Uint8Array): Page => ({
  read: () => false,
  tags: new TagPage(body, ORIGIN).tags,
});

const isList = (body: Uint8Array) => {
  try {
    return new TagPage(body, ORIGIN).tags !== undefined;
  } catch {
    return false;
  }
};

describe('pages that are read from their bytes', () => {
  test('a tag is taken from its bytes exactly where it is one of an object', () => {
    fc.assert(
      fc.property(fc.oneof(regular, odd), (tag) => {
        const body = Buffer.from(`["${tag}","${tag}"]`);
        const ends = 2 + Buffer.byteLength(tag);
        expect(new RegularTags(new Map()).take(body, 2)).toBe(refOfTag(tag) ? ends : 0);
      }),
    );
  });

  test('say what a parser says, however they are written or damaged', async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(mutated, written, async (first, second) => {
        const pages = [first, second].filter(isList);
        const read = pages.map((body) => new TagPage(body, ORIGIN));
        expect(await told(read)).toEqual(await told(pages.map(byParser)));
        for (const [at, page] of read.entries()) {
          const { tags } = new TagPage(pages[at] as Buffer, ORIGIN);
          expect([page.count, page.last]).toEqual([tags.length, tags.at(-1)]);
          plain += Number(page.read({ take: () => 0, takeOther: () => {} }));
        }
        // What no parser takes is no page of the usual form either.
        for (const body of [first, second])
          if (!isList(body))
            expect(await told([new TagPage(body, ORIGIN)])).toMatchObject({ code: 'REGISTRY_FOREIGN' });
      }),
      { numRuns: 3000 },
    );
    // A test that only ever came to the parser would show nothing.
    expect(plain).toBeGreaterThan(300);
  });

  test.each(['', '\n'])(
    'of the usual form need no parser, nor a string per tag: ends with "%j"',
    async (end) => {
      const refs = Array.from(
        { length: 1000 },
        (_, number): ObjectRef => ({
          type: number < 500 ? 'packfile' : 'state',
          mac: number.toString(16).padStart(64, '0'),
        }),
      );
      const tags = ['CONFIG', ...refs.map((ref) => tagOf(ref)), 'latest'];
      const page = new TagPage(Buffer.from(JSON.stringify({ name: 'kloset/store', tags }) + end), ORIGIN);
      let strings = 0;
      const unparsed: Page = {
        get tags(): never {
          throw new Error('parsed');
        },
        read: (reader) =>
          page.read({
            take: (body, at) => reader.take(body, at),
            takeOther: (tag) => {
              strings++;
              reader.takeOther(tag);
            },
          }),
      };
      expect(await told([unparsed])).toMatchObject({ holdsConfig: true, foreign: 'latest', live: refs });
      expect(strings).toBe(2);
      expect([page.count, page.last]).toEqual([1002, 'latest']);
    },
  );
});
