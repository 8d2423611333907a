import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TagPage } from '../../src/registry/tagPage.ts';
import { OBJECT_TYPES, type ObjectRef, tagOf } from '../../src/store/objectNames.ts';
import { generationToWrite, isLive, REGULAR } from '../../src/store/standing.ts';
import { meaningOf, tombstoneTagOf } from '../../src/store/tagNames.ts';
import { surveyTags } from '../../src/store/tagSurvey.ts';
import { TagTable } from '../../src/store/tagTable.ts';

const MAC = 'ab'.repeat(32);
const ref = (number: number): ObjectRef => ({
  type: 'packfile',
  mac: number.toString(16).padStart(64, '0'),
});
const anyRef = fc
  .tuple(fc.constantFrom(...OBJECT_TYPES), fc.nat(5))
  .map(([type, number]) => ({ ...ref(number), type }));

/** In pages of two. */
async function* stream(tags: readonly string[]): AsyncGenerator<TagPage> {
  for (let at = 0; at < tags.length; at += 2) yield pageOf(tags.slice(at, at + 2));
}

function pageOf(tags: readonly string[]): TagPage {
  const body = Buffer.from(JSON.stringify({ name: 'kloset/store', tags }));
  return new TagPage(body, { registry: 'registry.example', isHtml: false });
}

describe('a tag', () => {
  it('of an object, of a generation, of a tombstone is read back', () => {
    fc.assert(
      fc.property(anyRef, fc.nat(1_000_000), (one, generation) => {
        expect(meaningOf(tagOf(one, generation))).toEqual({ kind: 'object', ref: one, generation });
        expect(meaningOf(tombstoneTagOf(one, generation))).toEqual({
          ...{ kind: 'tombstone', ref: one, generation },
        });
        // The longest that the distribution specification allows.
        expect(tombstoneTagOf(one, generation)).toMatch(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/);
      }),
    );
  });

  it.each([
    ['CONFIG', 'config'],
    ['kloset-oci-doctor-1', 'own'],
    ['tombstones-of-another-version', 'own'],
    [`sha256-${MAC}.sig`, 'attached'],
    [`sha256-${MAC}`, 'attached'],
    [`sha256:${MAC}`, 'attached'],
    ['latest', 'foreign'],
    ['config', 'foreign'],
    ['state-of-the-art', 'foreign'],
    [`packfiles-${MAC}.0`, 'foreign'],
    [`packfiles-${MAC}.01`, 'foreign'],
    [`packfiles-${MAC}.1.2`, 'foreign'],
    [`packfiles-${MAC.toUpperCase()}`, 'foreign'],
    [`xpackfiles-${MAC}`, 'foreign'],
    ['sha256-short', 'foreign'],
  ])('%s is %s', (tag, kind) => expect(meaningOf(tag).kind).toBe(kind));
});

describe('a walk over the tags', () => {
  const tagsOf = fc.array(
    fc.tuple(fc.boolean(), fc.nat(4), fc.nat(3)).map(([isTombstone, number, generation]) => ({
      ...{ isTombstone, generation, of: ref(number) },
    })),
    { maxLength: 30 },
  );

  it('finds what is live, whatever the order and however often a tag comes', async () => {
    await fc.assert(
      fc.asyncProperty(tagsOf, async (made) => {
        const tags = made.map(({ isTombstone, of, generation }) =>
          isTombstone ? tombstoneTagOf(of, generation) : tagOf(of, generation),
        );
        const { macs, irregular } = await surveyTags(stream(tags), ['packfile']);
        const live = [...(macs.get('packfile') ?? [])].filter((mac) =>
          isLive(irregular.get(`packfiles-${mac}`) ?? REGULAR),
        );
        // By the definition: the newest generation that is there is newer than the newest tombstone.
        const expected = [0, 1, 2, 3, 4].filter((number) => {
          const newest = (isTombstone: boolean) =>
            Math.max(
              -1,
              ...made
                .filter((one) => one.isTombstone === isTombstone && one.of.mac === ref(number).mac)
                .map(({ generation }) => generation),
            );
          return newest(false) > newest(true);
        });
        expect(live.sort()).toEqual(expected.map((number) => ref(number).mac).sort());
        for (const standing of irregular.values()) {
          const next = generationToWrite(standing);
          expect(next).toBeGreaterThan(standing.buried);
        }
      }),
    );
  });

  it('names one of the tags of others, and keeps only what it was asked for', async () => {
    const tags = [tagOf(ref(1)), 'v1.2', 'latest', 'CONFIG', tombstoneTagOf(ref(2), 0)];
    const survey = await surveyTags(stream(tags), ['state']);
    expect(survey).toMatchObject({ holdsConfig: true, foreign: 'v1.2' });
    expect([...survey.irregular.keys()]).toEqual([tagOf(ref(2))]);
    expect([...survey.macs.keys()]).toEqual(['state']);
  });
});

describe('what is known of the tags', () => {
  const buried = { generations: [], buried: 0 };

  it('keeps what this process did while a walk was under way', async () => {
    const table = new TagTable();
    await table.survey(async () => {
      table.note(ref(1), buried);
      return surveyTags(stream([tagOf(ref(1)), tagOf(ref(2))]), []);
    });
    expect(table.tagToRead(ref(1))).toBeUndefined();
    expect(table.tagToRead(ref(2))).toBe(tagOf(ref(2)));
    // A walk that began after it has the last word: another process may have put it again.
    await table.survey(() => surveyTags(stream([tagOf(ref(1), 1), tombstoneTagOf(ref(1), 0)]), []));
    expect(table.tagToRead(ref(1))).toBe(tagOf(ref(1), 1));
  });

  it('does not go back to an earlier walk that ends late', async () => {
    const table = new TagTable();
    const early = Promise.withResolvers<void>();
    const late = table.survey(async () => {
      await early.promise;
      return surveyTags(stream([tagOf(ref(1))]), []);
    });
    table.note(ref(1), buried);
    await table.survey(() => surveyTags(stream([tombstoneTagOf(ref(1), 0)]), []));
    early.resolve();
    await late;
    expect(table.tagToRead(ref(1))).toBeUndefined();
  });
});
