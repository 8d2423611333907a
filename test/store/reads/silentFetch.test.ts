/** A request that has fallen silent, and readers who come to it later. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VirtualClock } from '../../../src/flow/clock.ts';
import { BlockCache, type CachedObject } from '../../../src/store/reads/blockCache.ts';
import { DEFAULT_READ_POLICY, type ReadPolicy } from '../../../src/store/reads/readPolicy.ts';
import { collect, refOf } from '../../engine/rig.ts';
import { type HeldReads, heldReads } from './heldReads.ts';

const BLOCK = 4096;
const POLICY: ReadPolicy = {
  ...DEFAULT_READ_POLICY,
  blockBytes: BLOCK,
  requestBytes: 4 * BLOCK,
  demandRequestBytes: 4 * BLOCK,
  demandBytes: 8 * BLOCK,
  wholeBytes: 0,
  windowBytes: 0,
  maxAheadBytes: 0,
};
const LENGTH = 4 * BLOCK;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

let held: HeldReads;
let clock: VirtualClock;
let cache: BlockCache;
let object: CachedObject;
beforeEach(() => {
  held = heldReads(100 * BLOCK);
  clock = new VirtualClock();
  cache = new BlockCache(POLICY, 64 * BLOCK, held.read, clock);
  object = cache.object(refOf(1), held.content.length);
});
afterEach(() => cache.close());

const read = (offset: number, length: number) =>
  collect(cache.read(object, { offset, length }, undefined).stream);
const ranges = () => held.requests.map(({ offset, length }) => [offset, length]);

test('is made anew for them from the byte it has reached, once, and all get their bytes', async () => {
  const first = read(0, LENGTH);
  await turn();
  held.requests[0]?.send(BLOCK + 100);
  await turn();
  await clock.sleep(10_000);
  const later = [read(BLOCK, BLOCK), read(3 * BLOCK, BLOCK)];
  await turn();
  expect(ranges()).toEqual([
    [0, LENGTH],
    [BLOCK + 100, LENGTH - BLOCK - 100],
  ]);
  expect(held.requests[0]?.aborted).toBe(true);
  held.requests[1]?.answer();
  expect((await first).equals(held.content.subarray(0, LENGTH))).toBe(true);
  expect((await later[0])?.equals(held.content.subarray(BLOCK, 2 * BLOCK))).toBe(true);
  expect((await later[1])?.equals(held.content.subarray(3 * BLOCK, LENGTH))).toBe(true);
});

test('is left alone while it is only slow', async () => {
  const first = read(0, LENGTH);
  await turn();
  for (let at = 0; at < 4; at++) {
    await clock.sleep(9_000);
    held.requests[0]?.send(100);
    await turn();
    const later = read(BLOCK * 3, 10);
    later.catch(() => {});
    await turn();
  }
  expect(ranges()).toEqual([[0, LENGTH]]);
  held.requests[0]?.answer();
  expect((await first).equals(held.content.subarray(0, LENGTH))).toBe(true);
});

test('is given longer each time that a new one was of no use', async () => {
  const all = [read(0, LENGTH)];
  await turn();
  for (const seconds of [10, 10, 10, 19, 21]) {
    await clock.sleep(seconds * 1000);
    all.push(read(0, 10));
    await turn();
  }
  // After 10, 30 and 80 s: a place that takes half a minute to its first byte is not asked for ever.
  expect(held.requests).toHaveLength(4);
  held.requests.at(-1)?.answer();
  for (const found of await Promise.all(all)) expect(found.length).toBeGreaterThan(0);
});

test('that fails after it was made anew fails for all', async () => {
  const first = read(0, LENGTH);
  first.catch(() => {});
  await turn();
  await clock.sleep(10_000);
  const later = read(0, 10);
  later.catch(() => {});
  await turn();
  held.requests[1]?.fail(new Error('broken'));
  await expect(first).rejects.toThrow('broken');
  await expect(later).rejects.toThrow('broken');
  // And a reader after that starts over.
  held.onRequest = (request) => request.answer();
  expect((await read(0, 10)).equals(held.content.subarray(0, 10))).toBe(true);
});
