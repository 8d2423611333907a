import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MacSet } from '../../src/store/macSet.ts';

const mac = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  // Names given by hand: equal but for the last digits, or for the first.
  fc.nat(300).map((number) => number.toString(16).padStart(64, '0')),
  fc.nat(300).map((number) => number.toString(16).padEnd(64, '0')),
);

test('holds what a Set of strings holds, in the same order', () => {
  fc.assert(
    fc.property(fc.array(mac, { maxLength: 500 }), fc.array(mac, { maxLength: 50 }), (added, asked) => {
      const expected = new Set(added);
      const set = new MacSet();
      for (const one of added) set.add(one);
      expect([...set]).toEqual([...expected]);
      expect(set.size).toBe(expected.size);
      for (const one of [...asked, ...added]) expect(set.has(one)).toBe(expected.has(one));
    }),
    { numRuns: 60 },
  );
});

test('takes some fifty bytes a MAC', () => {
  const set = new MacSet();
  const before = process.memoryUsage().arrayBuffers;
  for (let number = 0; number < 200_000; number++) set.add(number.toString(16).padStart(64, '0'));
  expect((process.memoryUsage().arrayBuffers - before) / 200_000).toBeLessThan(110);
  expect(set.size).toBe(200_000);
});
