import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MacSet } from '../../src/store/macSet.ts';

const mac = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  // Names given by hand: equal but for the last digits, or for the first.
  fc.nat(300).map((number) => number.toString(16).padStart(64, '0')),
  fc.nat(300).map((number) => number.toString(16).padEnd(64, '0')),
);

const macs = fc
  .tuple(fc.array(mac, { maxLength: 500 }), fc.boolean())
  .map(([some, inOrder]) => (inOrder ? some.toSorted() : some));

const wordsOf = (some: readonly string[]) =>
  new Uint32Array(Uint8Array.from(Buffer.from(some.join(''), 'hex')).buffer);

test('holds what a Set of strings holds, in the same order', () => {
  fc.assert(
    fc.property(macs, macs, fc.array(mac, { maxLength: 50 }), (first, second, asked) => {
      const expected = new Set(first);
      const set = new MacSet();
      for (const one of first) set.add(one);
      expect([...set]).toEqual([...expected]);
      for (const one of asked) expect(set.has(one)).toBe(expected.has(one));
      set.addAll(wordsOf(second));
      for (const one of second) expected.add(one);
      expect([...set]).toEqual([...expected]);
      expect(set.size).toBe(expected.size);
      for (const one of [...asked, ...first, ...second]) expect(set.has(one)).toBe(expected.has(one));
    }),
    { numRuns: 60 },
  );
});

test('is the same where nobody asks in between', () => {
  fc.assert(
    fc.property(fc.array(macs, { maxLength: 4 }), (pages) => {
      const set = new MacSet();
      for (const page of pages) set.addAll(wordsOf(page));
      expect([...set]).toEqual([...new Set(pages.flat())]);
    }),
    { numRuns: 60 },
  );
});

const NUMBERS = Array.from({ length: 200_000 }, (_, number) => number.toString(16).padStart(64, '0'));

test.each([
  // What was outgrown may still be counted: twice the bytes of 262,144 MACs, and nothing beside them.
  ['in order', NUMBERS, 90],
  ['in no order', NUMBERS.toReversed(), 125],
])('takes some fifty bytes a MAC, %s', (_, added, atMost) => {
  const set = new MacSet();
  const before = process.memoryUsage().arrayBuffers;
  for (const one of added) set.add(one);
  expect((process.memoryUsage().arrayBuffers - before) / added.length).toBeLessThan(atMost);
  expect(set.size).toBe(added.length);
});
