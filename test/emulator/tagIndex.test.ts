import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { TagIndex } from '../../src/emulator/tagIndex.ts';

test('pages like a sorted set, whatever was set and deleted in between', () => {
  const name = fc.constantFrom(...'abcdefghijkl');
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('set' as const, 'delete' as const), tag: name }),
    fc.record({ kind: fc.constant('page' as const), tag: name, limit: fc.integer({ min: 0, max: 6 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = new TagIndex();
      const model = new Set<string>();
      for (const each of steps) {
        if ('limit' in each) {
          const rest = [...model].sort().filter((tag) => tag > each.tag);
          const tags = rest.slice(0, each.limit);
          expect(index.page(each.tag, each.limit)).toEqual({ tags, more: rest.length > tags.length });
        } else if (each.kind === 'set') {
          index.set(each.tag, 'digest');
          model.add(each.tag);
        } else {
          expect(index.delete(each.tag)).toBe(model.delete(each.tag));
        }
      }
      expect(index.page(undefined, 100).tags).toEqual([...model].sort());
      expect(index.size).toBe(model.size);
    }),
  );
});

test('walks 100,000 tags in pages of 100 and forgets deleted ones', () => {
  const index = new TagIndex();
  for (let i = 0; i < 100_000; i++) index.set(`tag-${(i * 7919) % 100_000}`, 'digest');
  const seen: string[] = [];
  for (let last: string | undefined; ; last = seen.at(-1)) {
    const { tags, more } = index.page(last, 100);
    seen.push(...tags);
    if (!more) break;
  }
  expect(seen).toHaveLength(100_000);
  for (const tag of seen) index.delete(tag);
  expect(index.page(undefined, 10)).toEqual({ tags: [], more: false });
});
