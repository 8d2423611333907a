/** Where a session is taken up, when the journal is synced, and when it is too old. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isExpired, MAX_AGE_MS, resumeOffset, syncDelayMs } from '../../../src/engine/journal/policy.ts';

const MIB = 1024 * 1024;

describe('the place where a session goes on', () => {
  test.each([
    ['what both say', 8 * MIB - 1, 8 * MIB, 8 * MIB],
    ['further than the journal: its tail was lost', 12 * MIB - 1, 8 * MIB, 12 * MIB],
    ['in the middle of a chunk that arrived in part', 9 * MIB + 4, 8 * MIB, 9 * MIB + 5],
    ['less far: the registry lost what it had not synced', 4 * MIB - 1, 8 * MIB, 4 * MIB],
    ['one byte too many (Quay)', 8 * MIB, 8 * MIB, 8 * MIB],
    ['all of it: only the commit is missing', 16 * MIB - 1, 16 * MIB, 16 * MIB],
    ['beyond the end: not our blob', 16 * MIB, 8 * MIB, undefined],
    ['nothing that can be read', undefined, 8 * MIB, undefined],
    ['an empty session, as 0-0', 0, 0, undefined],
    ['an empty session, as 0--1', -1, 0, undefined],
    ['an empty session that was not empty', 0, 8 * MIB, undefined],
  ])('%s', (_, rangeEnd, confirmedBytes, offset) => {
    expect(resumeOffset(rangeEnd, confirmedBytes, 16 * MIB)).toBe(offset);
  });

  test('lies in the blob, whatever is reported', () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: -1 }), { nil: undefined }),
        fc.nat(1000),
        fc.nat(1000),
        (rangeEnd, a, b) => {
          const offset = resumeOffset(rangeEnd, Math.min(a, b), Math.max(a, b));
          if (offset === undefined) return;
          expect(offset).toBeGreaterThan(0);
          expect(offset).toBeLessThanOrEqual(Math.max(a, b));
        },
      ),
    );
  });
});

test('a sync comes at once after 64 MiB, else some moments after the last one', () => {
  expect(syncDelayMs(0, 64 * MIB)).toBe(0);
  expect(syncDelayMs(0, 0)).toBe(200);
  expect(syncDelayMs(150, 63 * MIB)).toBe(50);
  expect(syncDelayMs(Number.POSITIVE_INFINITY, 0)).toBe(0);
});

test('a journal of more than a week is too old; one of the future is not', () => {
  expect(isExpired(0, MAX_AGE_MS)).toBe(false);
  expect(isExpired(0, MAX_AGE_MS + 1)).toBe(true);
  expect(isExpired(MAX_AGE_MS * 1000, 0)).toBe(false);
});
