import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELLS, type Cell } from '../../../src/store/bench/cells.ts';
import { type CellResult, isFaster, judge, rateOf, spreadOf } from '../../../src/store/bench/verdict.ts';

const MIB = 1024 * 1024;

/** Samples of a cell with these rates, in MiB/s. */
function result(name: string, mibps: readonly number[]): CellResult {
  const cell = CELLS.find((one) => one.name === name) as Cell;
  return { cell, samples: mibps.map((rate) => ({ seconds: 1 / rate, bytes: MIB, objects: 1, reads: 10 })) };
}

const ONE = 'push packfile x1';
const CHUNKED = 'push packfile x1 chunked';

describe('a verdict', () => {
  it('recommends chunks only where every sample of them is faster', () => {
    const faster = judge([result(ONE, [50, 52, 51]), result(CHUNKED, [80, 78, 90])]);
    expect(faster.recommended).toEqual({ upload_mode: 'chunked' });
    expect(faster.comparisons[0]).toMatch(/faster: 1\.57 times/);
    const noisy = judge([result(ONE, [50, 79, 51]), result(CHUNKED, [80, 78, 90])]);
    expect(noisy.recommended).toEqual({});
    expect(noisy.comparisons[0]).toMatch(/within the noise/);
    const barely = judge([result(ONE, [50, 50, 50]), result(CHUNKED, [52, 52, 53])]);
    expect(barely.recommended).toEqual({});
    expect(judge([result(ONE, [90, 91, 92]), result(CHUNKED, [50, 51, 52])]).comparisons[0]).toMatch(
      /slower/,
    );
  });

  it('says what became of chunks that were refused', () => {
    const refused = { ...result(CHUNKED, []), refused: 'no chunks here' };
    const verdict = judge([result(ONE, [50, 51, 52]), refused]);
    expect(verdict).toMatchObject({
      recommended: {},
      comparisons: ['Chunked uploads do not work: no chunks here.'],
    });
  });

  it.each([
    ['more', [5, 5, 5], [9, 9, 9], '32'],
    ['fewer', [9, 9, 9], [5, 5, 5], '4'],
    ['none', [5, 5, 6], [5, 6, 5], undefined],
  ])('finds %s small objects at once', (_, four, thirtyTwo, concurrency) => {
    const { recommended, comparisons } = judge([
      result('push small x4', four),
      result('push small x16', [5, 6, 5]),
      result('push small x32', thirtyTwo),
    ]);
    expect(recommended).toEqual(concurrency === undefined ? {} : { concurrency });
    expect(comparisons).toHaveLength(1);
  });

  it('expects a backup at the speed of several packfiles, unless one at a time is faster', () => {
    const same = judge([result(ONE, [50, 60, 70]), result('push packfile x4', [45, 55, 65])]);
    expect(same.backup?.bytesPerSecond.median).toBeCloseTo(55 * MIB);
    expect(same.backup?.from).toMatch(/4 packfiles of 20 MiB at once, median of 3/);
    const alone = judge([result(ONE, [90, 95, 99]), result('push packfile x4', [45, 55, 65])]);
    expect(alone.backup?.from).toMatch(/one packfile of 20 MiB/);
    // What is not recommended is not expected either.
    const mode = judge([result(ONE, [50, 60, 70]), result(CHUNKED, [60, 65, 80])]);
    expect(mode.backup?.bytesPerSecond.median).toBeCloseTo(60 * MIB);
  });

  it('expects nothing where nothing was measured', () => {
    expect(judge([])).toEqual({ recommended: {}, comparisons: [], backup: undefined, restore: undefined });
    expect(judge([result('restore reads', [20, 30, 40])]).restore?.bytesPerSecond.median).toBeCloseTo(
      30 * MIB,
    );
  });

  it('takes a median that lies between the least and the most, and no two rates for each other faster', () => {
    const rates = fc.array(fc.double({ min: 0.1, max: 1000, noNaN: true }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(rates, rates, (a, b) => {
        const [one, other] = [rateOf(result(ONE, a)), rateOf(result(ONE, b))];
        if (!one || !other) throw new Error('no rate');
        expect(one.median).toBeGreaterThanOrEqual(one.least);
        expect(one.median).toBeLessThanOrEqual(one.most);
        expect(spreadOf(one)).toBeGreaterThanOrEqual(0);
        expect(isFaster(one, other) && isFaster(other, one)).toBe(false);
        expect(isFaster(one, one)).toBe(false);
      }),
    );
  });
});
