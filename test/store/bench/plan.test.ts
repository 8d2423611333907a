import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELLS } from '../../../src/store/bench/cells.ts';
import { costOf, leastCost, planBench } from '../../../src/store/bench/plan.ts';
import { restoreReads } from '../../../src/store/bench/restoreReads.ts';
import { noiseFrom } from '../../../src/store/noise.ts';

const MIB = 1024 * 1024;
const ALL = { comparesModes: true, maxLanes: 32 };

const boundsOf = fc.record({
  maxRequests: fc.integer({ min: 1, max: 20_000 }),
  maxBytes: fc.integer({ min: 0, max: 8192 * MIB }),
});
const optionsOf = fc.record({
  comparesModes: fc.boolean(),
  maxLanes: fc.integer({ min: 1, max: 64 }),
  chunkBytes: fc.option(fc.integer({ min: MIB / 4, max: 64 * MIB }), { nil: undefined }),
});

describe('a plan', () => {
  it('stays within its bounds, reads only what it pushes, and leaves nothing unsaid', () => {
    fc.assert(
      fc.property(boundsOf, optionsOf, (bounds, options) => {
        const { cells, leftOut, rounds, warmUp, cost } = planBench(bounds, options);
        expect(cost.requests).toBeLessThanOrEqual(bounds.maxRequests);
        expect(cost.bytes).toBeLessThanOrEqual(bounds.maxBytes);
        expect(rounds === 0).toBe(cells.length === 0);
        if (rounds > 0) expect(rounds).toBeGreaterThanOrEqual(3);
        const steps = [...warmUp, ...Array.from({ length: rounds }, () => cells).flat()];
        expect(cost.bytes).toBe(steps.reduce((sum, cell) => sum + costOf(cell).bytes, 0));
        for (const { from } of cells) {
          if (from !== undefined) expect(cells.map(({ name }) => name)).toContain(from);
        }
        if (!options.comparesModes) expect(steps.some(({ mode }) => mode === 'chunked')).toBe(false);
        const named = new Set([...cells, ...leftOut].map(({ name }) => name));
        expect(named.size).toBe(cells.length + leftOut.length);
      }),
    );
  });

  it('does no less where it may do more', () => {
    fc.assert(
      fc.property(boundsOf, fc.integer({ min: 1, max: 4096 * MIB }), ({ maxRequests, maxBytes }, more) => {
        const small = planBench({ maxRequests, maxBytes }, ALL);
        const large = planBench({ maxRequests: maxRequests + more, maxBytes: maxBytes + more }, ALL);
        if (small.cells.length > 0) expect(large.cells.length).toBeGreaterThan(0);
        expect(large.cost.bytes).toBeGreaterThanOrEqual(Math.min(small.cost.bytes, leastCost().bytes));
      }),
    );
  });

  it('says truly what the run of the fewest bytes takes', () => {
    const { requests: maxRequests, bytes: maxBytes } = leastCost();
    expect(planBench({ maxRequests, maxBytes }, ALL).cells.length).toBeGreaterThan(0);
    expect(planBench({ maxRequests: 20_000, maxBytes: maxBytes - 1 }, ALL).cells).toEqual([]);
    expect(planBench({ maxRequests: 100, maxBytes: 8192 * MIB }, ALL).cells).toEqual([]);
  });

  it('measures packfiles both ways, chunks and several at once within the default bounds', () => {
    const { cells } = planBench({ maxRequests: 3000, maxBytes: 640 * MIB }, ALL);
    const names = cells.map(({ name }) => name);
    for (const name of ['push packfile x4', 'pull packfile x1', 'push packfile x1 chunked', 'restore reads'])
      expect(names).toContain(name);
    expect(new Set(cells.map(({ size }) => size)).size).toBe(3);
  });

  it('has no two cells of one name', () => {
    expect(new Set(CELLS.map(({ name }) => name)).size).toBe(CELLS.length);
  });
});

describe('the reads of a restore', () => {
  it('cover the packfile, each byte once, and each reader its own part', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 * MIB }), fc.integer({ min: 1, max: 4 }), (bytes, readers) => {
        const reads = restoreReads(bytes, readers, noiseFrom('reads'));
        expect(reads).toHaveLength(readers);
        let at = 0;
        for (const { offset, length } of reads.flat().sort((a, b) => a.offset - b.offset)) {
          expect(offset).toBe(at);
          expect(length).toBeGreaterThan(0);
          at += length;
        }
        expect(at).toBe(bytes);
      }),
      { numRuns: 40 },
    );
  });

  it('are mostly short, and begin with what stands behind', () => {
    const [reads = []] = restoreReads(20 * MIB, 1, noiseFrom('reads'));
    const short = reads.filter(({ length }) => length < 20 * 1024);
    expect(short.length / reads.length).toBeGreaterThan(0.6);
    expect(reads[0]?.offset).toBe(reads[1]?.length);
  });
});
