import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReadPlan, ReadPlanner } from '../../../src/store/reads/readPlanner.ts';
import { creditLeft, DEFAULT_READ_POLICY, fitPolicy } from '../../../src/store/reads/readPolicy.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const BLOCK = DEFAULT_READ_POLICY.blockBytes;
const PACKFILE = 64 * MIB;

/** Plans a read, and lets everything ahead be taken. */
function plan(planner: ReadPlanner, offset: number, length: number, creditBytes = 64 * MIB): ReadPlan {
  const result = planner.plan(offset, length, creditBytes);
  result.ahead?.took(result.ahead.range.to - result.ahead.range.from);
  return result;
}

describe('the plan of a read', () => {
  it('stays inside the object, encloses what is needed and keeps to the credit', () => {
    const reads = fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        length: fc.integer({ min: 1, max: 9 * MIB }),
      }),
      { minLength: 1, maxLength: 50 },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 * MIB }),
        fc.nat(20 * MIB),
        fc.nat(64),
        reads,
        (bytes, creditBytes, room, list) => {
          const planner = new ReadPlanner(DEFAULT_READ_POLICY, bytes);
          const blocks = Math.ceil(bytes / BLOCK);
          for (const { at, length } of list) {
            const offset = Math.min(bytes - 1, Math.floor(at * bytes));
            const cut = Math.min(length, bytes - offset);
            const { wanted, around, ahead } = planner.plan(offset, cut, creditBytes);
            expect(wanted.from * BLOCK).toBeLessThanOrEqual(offset);
            expect(wanted.to * BLOCK).toBeGreaterThanOrEqual(offset + cut);
            expect((wanted.to - wanted.from - 2) * BLOCK).toBeLessThan(cut);
            expect(around.from).toBeLessThanOrEqual(wanted.from);
            expect(around.to).toBeGreaterThanOrEqual(wanted.to);
            expect([around.from >= 0, around.to <= blocks]).toEqual([true, true]);
            if (!ahead) continue;
            const { from, to } = ahead.range;
            expect([from >= 0, to <= blocks, from < to]).toEqual([true, true, true]);
            expect((to - from) * BLOCK).toBeLessThanOrEqual(creditBytes);
            ahead.took(Math.min(room, to - from));
          }
        },
      ),
    );
  });

  it('of a small object is all of it', () => {
    const planner = new ReadPlanner(DEFAULT_READ_POLICY, 4 * MIB);
    expect(plan(planner, MIB, 100)).toMatchObject({ around: { from: 0, to: 32 }, ahead: undefined });
  });

  it('of a lonely short read is a window, half of it behind', () => {
    const planner = new ReadPlanner(DEFAULT_READ_POLICY, PACKFILE);
    expect(plan(planner, 100 * BLOCK + 5, 300, 4 * MIB)).toMatchObject({
      wanted: { from: 100, to: 101 },
      around: { from: 99, to: 102 },
      ahead: undefined,
    });
  });

  it('fetches ever more ahead of a stream, in requests that grow', () => {
    const planner = new ReadPlanner(DEFAULT_READ_POLICY, PACKFILE);
    const edges: number[] = [];
    for (let at = 0; at < 8 * MIB; at += 100 * KIB) {
      const { ahead } = plan(planner, at, 100 * KIB);
      if (ahead) edges.push(ahead.range.to - ahead.range.from);
    }
    expect(edges.length).toBeLessThan(12);
    expect(Math.max(...edges) * BLOCK).toBeGreaterThanOrEqual(2 * MIB);
  });

  it('follows the zigzag of descriptions behind their contents as one stream', () => {
    const planner = new ReadPlanner(DEFAULT_READ_POLICY, PACKFILE);
    const file = 300 * KIB;
    let fetchedTo = 0;
    let misses = 0;
    for (let start = 0; start < 30 * MIB; start += file) {
      for (const [offset, length] of [
        [start + file - 300, 300],
        [start, file - 300],
      ] as const) {
        const { wanted, around, ahead } = plan(planner, offset, length);
        if (wanted.to > fetchedTo) misses++;
        fetchedTo = Math.max(fetchedTo, around.to, ahead?.range.to ?? 0);
      }
    }
    expect(misses).toBeLessThanOrEqual(4);
  });

  it('follows a stream towards the beginning', () => {
    const planner = new ReadPlanner(DEFAULT_READ_POLICY, PACKFILE);
    const descending: boolean[] = [];
    for (let at = 40 * MIB; at > 30 * MIB; at -= 100 * KIB) {
      const { ahead } = plan(planner, at, 100 * KIB);
      if (ahead) descending.push(ahead.descending);
    }
    expect(descending.filter(Boolean).length).toBeGreaterThan(2);
    expect(descending.filter((down) => !down).length).toBeLessThanOrEqual(2);
  });

  it('opens an object at its beginning for a host that reads everything', () => {
    const { ahead } = plan(new ReadPlanner(DEFAULT_READ_POLICY, PACKFILE), 20 * MIB, 300, 32 * MIB);
    expect(ahead?.range.from).toBe(0);
    expect(plan(new ReadPlanner(DEFAULT_READ_POLICY, PACKFILE), 20 * MIB, 300, MIB).ahead).toBeUndefined();
  });

  it('asks again for what there was no room for', () => {
    const planner = new ReadPlanner(DEFAULT_READ_POLICY, PACKFILE);
    const first = planner.plan(0, 2 * MIB, 8 * MIB).ahead;
    first?.took(0);
    const second = planner.plan(2 * MIB, 100, 8 * MIB).ahead;
    expect([first?.range.from, second?.range.from]).toEqual([16, 17]);
  });
});

describe('the credit', () => {
  const { credit } = DEFAULT_READ_POLICY;

  it('starts small, grows with what is read, and shrinks by what is not', () => {
    const of = (steps: number, readBytes: number, unreadBytes: number) =>
      creditLeft(credit, { steps, readBytes, unreadBytes });
    expect(of(0, 0, 0)).toBe(512 * KIB);
    expect(of(0, 16 * MIB, 0)).toBe(512 * KIB + 4 * MIB);
    expect(of(0, 32 * MIB, 0)).toBe(512 * KIB + 20 * MIB);
    expect(of(8, 0, 0)).toBe(512 * KIB + MIB);
    expect(of(1e6, 0, 0)).toBe(512 * KIB + 4 * MIB);
    expect(of(0, 0, MIB)).toBe(0);
  });
});

describe('the policy for a small memory', () => {
  it.each([1, 2, 8, 64, 1024])('of %i MiB has room for four requests', (mebibytes) => {
    const { requestBytes, demandRequestBytes, wholeBytes, demandBytes, windowBytes } = fitPolicy(
      DEFAULT_READ_POLICY,
      mebibytes * MIB,
    );
    for (const bytes of [requestBytes, demandRequestBytes, wholeBytes, windowBytes]) {
      expect(bytes * 4).toBeLessThanOrEqual(mebibytes * MIB);
      expect(bytes % BLOCK).toBe(0);
    }
    expect(demandBytes * 2).toBeLessThanOrEqual(mebibytes * MIB);
  });
});
