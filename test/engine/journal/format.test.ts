/** The lines of a journal, and what is left of one that was torn. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentOf } from '../../../src/engine/journal/content.ts';
import {
  type BlobPlace,
  decodeJournal,
  encodeLines,
  JOURNAL_VERSION,
  type JournalRecord,
} from '../../../src/engine/journal/format.ts';

const header = {
  type: 'journal',
  version: JOURNAL_VERSION,
  origin: 'https://registry.example',
  repository: 'a/b',
} as const;
const count = fc.nat();
const place: fc.Arbitrary<BlobPlace> = fc.record({
  file: fc.option(
    fc.record({
      path: fc.string(),
      device: fc.bigInt().map(String),
      inode: fc.bigInt().map(String),
      bytes: count,
      mtimeNs: fc.bigInt().map(String),
    }),
    { nil: undefined },
  ),
  start: count,
  bytes: count,
  tag: fc.string(),
});
const url = fc.webUrl({ withQueryParameters: true });
const id = fc.integer({ min: 1, max: 4 });
const record: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.record({ type: fc.constant('session' as const), id, url, place }),
  fc.record({ type: fc.constant('confirmed' as const), id, url, bytes: count, chunkBytes: count }),
  fc.record({ type: fc.constant('closed' as const), id }),
  fc.record({
    type: fc.constant('stored' as const),
    digest: fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`),
    place,
  }),
);
const records = fc.array(record, { maxLength: 20 });
const decoded = (text: string) => {
  const journal = decodeJournal(text);
  if (typeof journal === 'string') throw new Error(journal);
  return journal;
};

describe('a journal', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(records, (written) => {
        const journal = decoded(encodeLines([header, ...written]));
        expect(journal.torn).toBe(false);
        expect(journal.header).toEqual(header);
        expect(journal.records).toEqual(JSON.parse(JSON.stringify(written)));
      }),
    );
  });

  test('cut anywhere is read up to its last whole line', () => {
    fc.assert(
      fc.property(records, fc.nat(), (written, cut) => {
        const text = encodeLines([header, ...written]);
        const rest = text.slice(0, cut % (text.length + 1));
        const wholeLines = rest.split('\n').length - 1;
        if (wholeLines === 0) {
          expect(decodeJournal(rest)).toBe('empty');
          return;
        }
        const journal = decoded(rest);
        expect(journal.records).toHaveLength(wholeLines - 1);
        expect(journal.torn).toBe(!rest.endsWith('\n'));
      }),
    );
  });

  test('with one character changed is read up to that line', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 10 }), fc.nat(), (written, place) => {
        const lines = encodeLines([header, ...written])
          .split('\n')
          .slice(0, -1);
        const damaged = 1 + (place % written.length);
        const line = lines[damaged] ?? '';
        const at = place % line.length;
        const other = line[at] === 'x' ? 'y' : 'x';
        lines[damaged] = `${line.slice(0, at)}${other}${line.slice(at + 1)}`;
        const journal = decoded(`${lines.join('\n')}\n`);
        expect(journal.records).toHaveLength(damaged - 1);
        expect(journal.torn).toBe(true);
      }),
    );
  });

  test.each([
    ['', 'empty'],
    ['rubbish\n', 'damaged'],
    ['00000000 {"type":"journal"}\n', 'damaged'],
    [encodeLines([{ type: 'closed', id: 1 }]), 'damaged'],
    [encodeLines([{ ...header, version: 2 as unknown as 1 }]), 'other version'],
    [encodeLines([{ ...header, origin: 5 as unknown as string }]), 'damaged'],
  ])('of %j is %s', (text, why) => expect(decodeJournal(text)).toBe(why));

  test('comes to what is open at its end, and to what was stored', () => {
    const of = (tag: string): BlobPlace => ({ start: 0, bytes: 9, tag });
    const text = encodeLines([
      header,
      { type: 'session', id: 1, url: 'http://h/1', place: of('a') },
      { type: 'session', id: 2, url: 'http://h/2', place: of('b') },
      { type: 'confirmed', id: 1, url: 'http://h/1?s=x', bytes: 4, chunkBytes: 4 },
      { type: 'confirmed', id: 2, url: 'http://h/2?s=y', bytes: 8, chunkBytes: 8 },
      { type: 'closed', id: 2 },
      { type: 'stored', digest: 'sha256:ab', place: of('b') },
      { type: 'confirmed', id: 3, url: 'http://h/3', bytes: 8, chunkBytes: 8 },
    ]);
    expect(contentOf(decoded(text))).toEqual({
      sessions: [{ place: of('a'), url: 'http://h/1?s=x', confirmedBytes: 4, chunkBytes: 4 }],
      stored: [{ digest: 'sha256:ab', place: of('b') }],
    });
  });
});
