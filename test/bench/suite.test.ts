import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Collector } from '../../bench/suite/collector.ts';
import { timesAsGood } from '../../bench/suite/markdown.ts';
import { rotated } from '../../bench/suite/rotated.ts';
import { type Result, readSuiteFile, SCHEMA } from '../../bench/suite/schema.ts';
import { median, spread } from '../../bench/suite/statistics.ts';
import { scratch } from '../support/scratch.ts';

const MIB = 1024 * 1024;
const PUSH = { task: 'push', registry: 'zot', contestant: 'ours', objects: 32, objectBytes: 16 * MIB };

test('samples of one situation are one result, with costs per GiB', async () => {
  const folder = await scratch('suite');
  try {
    const file = join(folder.path, 'deep', 'results.json');
    const collector = new Collector(file);
    for (const [seconds, cpuSeconds, peakRssBytes] of [
      [2, 1, 100],
      [1, 2, 300],
      [4, 3, 200],
    ] as const)
      collector.add({ ...PUSH, roundTripMs: 0 }, 's', seconds, { cpuSeconds, peakRssBytes, requests: 70 });
    // The same without its round trip: there was none.
    collector.add(PUSH, 's', 3, { cpuSeconds: 2, peakRssBytes: 1, requests: 70 });
    collector.add({ ...PUSH, contestant: 'oras' }, 's', 5);
    await collector.save();
    const read = readSuiteFile(await readFile(file, 'utf8'), file);
    expect(read.machine.cores).toBeGreaterThan(0);
    expect(read.git.commit).toMatch(/^([0-9a-f]{40}|unknown)$/);
    expect(read.results).toMatchObject([
      { samples: [2, 1, 4, 3], median: 2.5, cpuSecondsPerGiB: 4, requests: 70, peakRssBytes: 300 },
      { contestant: 'oras', samples: [5], median: 5, spread: 0 },
    ]);
    expect(read.results[1]).not.toHaveProperty('cpuSecondsPerGiB');
  } finally {
    await folder.remove();
  }
});

test.each([
  ['another schema', { schema: 'other/1', results: [] }],
  ['no list of results', { schema: SCHEMA }],
  ['a result without samples', { schema: SCHEMA, results: [{ ...PUSH, unit: 's', samples: [], median: 1 }] }],
  [
    'a unit that nobody knows',
    { schema: SCHEMA, results: [{ ...PUSH, unit: 'furlongs', samples: [1], median: 1 }] },
  ],
])('%s is refused by name', (_, content) => {
  expect(() => readSuiteFile(JSON.stringify(content), 'old.json')).toThrow(/^old\.json/);
});

test('the median is between the samples and the spread does not depend on their unit', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1 }), (samples) => {
      const middle = median(samples);
      const below = samples.filter((one) => one < middle).length;
      const above = samples.filter((one) => one > middle).length;
      expect(below).toBeLessThanOrEqual(samples.length / 2);
      expect(above).toBeLessThanOrEqual(samples.length / 2);
      expect(spread(samples.map((one) => one * 1000))).toBeCloseTo(spread(samples), 6);
    }),
  );
});

test('a ratio above 1 is better, whatever is measured', () => {
  const of = (unit: Result['unit'], value: number): Result => ({
    ...{ ...PUSH, unit, samples: [value], median: value, spread: 0 },
  });
  expect(timesAsGood(of('s', 2), of('s', 4))).toBe(2);
  expect(timesAsGood(of('MiB/s', 4), of('MiB/s', 2))).toBe(2);
});

test('each contestant has each place once in as many rounds', () => {
  const rounds = [0, 1, 2].map((round) => rotated(['a', 'b', 'c'], round));
  for (const place of [0, 1, 2]) expect(new Set(rounds.map((order) => order[place])).size).toBe(3);
});
