import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KlosetError } from '../../../src/errors.ts';
import { BlockCache, type CachedObject } from '../../../src/store/reads/blockCache.ts';
import { DEFAULT_READ_POLICY, type ReadPolicy } from '../../../src/store/reads/readPolicy.ts';
import { collect, refOf } from '../../engine/rig.ts';
import { type HeldReads, heldReads } from './heldReads.ts';

const KIB = 1024;
const BLOCK = 4 * KIB;
/** Nothing ahead, no windows: only what a test asks for. */
const PLAIN: ReadPolicy = {
  ...DEFAULT_READ_POLICY,
  blockBytes: BLOCK,
  requestBytes: 4 * BLOCK,
  demandRequestBytes: 4 * BLOCK,
  demandBytes: 8 * BLOCK,
  wholeBytes: 0,
  windowBytes: 0,
  nearBytes: BLOCK,
  maxAheadBytes: 0,
};
const AHEAD: ReadPolicy = { ...PLAIN, bulkBytes: 2 * BLOCK, maxAheadBytes: 8 * BLOCK };
const BYTES = 100 * BLOCK + 77;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the block cache', () => {
  let held: HeldReads;
  let cache: BlockCache;
  let object: CachedObject;

  const open = (policy: ReadPolicy, cacheBytes: number, reads = heldReads(BYTES)) => {
    held = reads;
    cache = new BlockCache(policy, cacheBytes, held.read);
    object = cache.object(refOf(1), held.content.length);
  };
  const read = (offset: number, length: number, signal?: AbortSignal) =>
    collect(cache.read(object, { offset, length }, signal).stream);
  const mine = (offset: number, length: number) => held.content.subarray(offset, offset + length);
  beforeEach(() => open(PLAIN, 64 * BLOCK));
  afterEach(() => cache.close());

  it('shares one request among all who need its blocks at once', async () => {
    const all = Array.from({ length: 20 }, (_, at) => read(at * 100, 300));
    await turn();
    expect(held.requests).toHaveLength(1);
    held.requests[0]?.answer();
    for (const [at, found] of (await Promise.all(all)).entries())
      expect(found.equals(mine(at * 100, 300))).toBe(true);
    expect(cache.stats).toMatchObject({ reads: 20, hits: 0, requests: 1, fetchedBytes: BLOCK });
  });

  it('answers from memory without a request and without a wait', async () => {
    held.onRequest = (request) => request.answer();
    await read(0, 3 * BLOCK);
    const content = cache.read(object, { offset: BLOCK - 10, length: 30 }, undefined);
    expect(Buffer.concat(content.parts ?? []).equals(mine(BLOCK - 10, 30))).toBe(true);
    expect((await collect(content.stream)).equals(mine(BLOCK - 10, 30))).toBe(true);
    expect(cache.stats).toMatchObject({ hits: 1, requests: 1 });
  });

  it('hands over a block before the request has brought the next', async () => {
    const early = read(0, 100);
    const late = read(BLOCK, 3 * BLOCK);
    await turn();
    // Two requests, since the first reader had asked for its block alone.
    held.requests[0]?.answer();
    held.requests[1]?.send(BLOCK + 5);
    expect((await early).equals(mine(0, 100))).toBe(true);
    const second = cache.read(object, { offset: BLOCK, length: BLOCK }, undefined);
    await turn();
    expect((await collect(second.stream)).equals(mine(BLOCK, BLOCK))).toBe(true);
    held.requests[1]?.answer();
    expect((await late).equals(mine(BLOCK, 3 * BLOCK))).toBe(true);
  });

  it('fails those who waited, and forgets the failure', async () => {
    const waiting = [read(0, 10), read(20, 10)];
    await turn();
    held.requests[0]?.fail(new KlosetError('CONNECTION_LOST', 'it broke'));
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(cache.stats.usedBytes).toBe(0);
    const again = read(0, 10);
    await turn();
    held.requests[1]?.answer();
    expect((await again).equals(mine(0, 10))).toBe(true);
  });

  it('keeps the blocks that came before a connection broke', async () => {
    const broken = read(0, 3 * BLOCK);
    await turn();
    held.requests[0]?.send(2 * BLOCK + 1);
    await turn();
    held.requests[0]?.fail(new KlosetError('CONNECTION_LOST', 'it broke'));
    await expect(broken).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(cache.stats.usedBytes).toBe(2 * BLOCK);
    expect(cache.read(object, { offset: 0, length: 2 * BLOCK }, undefined).parts).toBeDefined();
  });

  it('goes on with a request while one of its readers is left, and ends it with the last', async () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const waiting = [read(0, 10, one.signal), read(5, 10, two.signal)];
    await turn();
    one.abort();
    await expect(waiting[0]).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(held.requests[0]?.aborted).toBe(false);
    two.abort();
    await expect(waiting[1]).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(held.requests[0]?.aborted).toBe(true);
    await turn();
    expect(cache.stats.usedBytes).toBe(0);
    const again = read(0, 10);
    await turn();
    held.requests[1]?.answer();
    expect((await again).equals(mine(0, 10))).toBe(true);
  });

  it('does not end a request because a reader is content with its part', async () => {
    open({ ...PLAIN, windowBytes: 4 * BLOCK }, 64 * BLOCK);
    const done = read(10 * BLOCK, 10);
    await turn();
    held.requests[0]?.send(3 * BLOCK);
    await done;
    expect(held.requests[0]?.aborted).toBe(false);
    held.requests[0]?.answer();
    await turn();
    expect(cache.read(object, { offset: 11 * BLOCK, length: 10 }, undefined).parts).toBeDefined();
    expect(cache.stats).toMatchObject({ requests: 1, hits: 1 });
  });

  it('does not end what was fetched ahead when its reader is gone', async () => {
    open(AHEAD, 64 * BLOCK);
    const stop = new AbortController();
    const gone = read(0, 4 * BLOCK, stop.signal);
    await turn();
    stop.abort();
    await expect(gone).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(held.requests.map(({ aborted }) => aborted)).toEqual([true, false, false]);
    const later = new AbortController();
    const waiting = read(5 * BLOCK, 10, later.signal);
    await turn();
    later.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(held.requests.map(({ aborted }) => aborted)).toEqual([true, false, false]);
  });

  it('waits for memory where a read needs it, and leaves out what is ahead where there is none', async () => {
    open(AHEAD, 8 * BLOCK);
    const first = read(0, 8 * BLOCK);
    await turn();
    const second = read(50 * BLOCK, 2 * BLOCK);
    await turn();
    expect(held.requests.map(({ offset }) => offset / BLOCK)).toEqual([0, 4]);
    held.requests[0]?.answer();
    held.requests[1]?.answer();
    held.onRequest = (request) => request.answer();
    expect((await first).equals(mine(0, 8 * BLOCK))).toBe(true);
    expect((await second).equals(mine(50 * BLOCK, 2 * BLOCK))).toBe(true);
    expect(cache.stats.peakBytes).toBeLessThanOrEqual(8 * BLOCK);
  });

  it('lets a read give up its wait for memory', async () => {
    open(PLAIN, 4 * BLOCK);
    const first = read(0, 4 * BLOCK);
    const stop = new AbortController();
    const second = read(50 * BLOCK, BLOCK, stop.signal);
    await turn();
    stop.abort();
    await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
    held.requests[0]?.answer();
    expect((await first).equals(mine(0, 4 * BLOCK))).toBe(true);
    expect(held.requests).toHaveLength(1);
  });

  it('reads more than its memory holds', async () => {
    open(PLAIN, 8 * BLOCK);
    held.onRequest = (request) => request.answer();
    expect((await read(3, BYTES - 3)).equals(mine(3, BYTES - 3))).toBe(true);
    expect(cache.stats).toMatchObject({ fetchedBytes: BYTES, requests: 26 });
    expect(cache.stats.peakBytes).toBeLessThanOrEqual(8 * BLOCK);
  });

  it('lets a reader keep what was evicted meanwhile', async () => {
    open(PLAIN, 4 * BLOCK);
    held.onRequest = (request) => request.answer();
    await read(0, BLOCK);
    const kept = cache.read(object, { offset: 0, length: BLOCK }, undefined);
    await read(20 * BLOCK, 4 * BLOCK);
    expect(object.blocks[0]).toBeUndefined();
    expect((await collect(kept.stream)).equals(mine(0, BLOCK))).toBe(true);
  });

  it('evicts what was read before what was fetched ahead', async () => {
    open(AHEAD, 16 * BLOCK);
    held.onRequest = (request) => request.answer();
    await read(0, 4 * BLOCK);
    await turn();
    for (const at of [60, 64, 68]) await read(at * BLOCK, BLOCK);
    expect(object.blocks.slice(4, 8).every((block) => block?.data)).toBe(true);
    const before = cache.stats.requests;
    await read(4 * BLOCK, 4 * BLOCK);
    expect(cache.stats.hits).toBeGreaterThan(0);
    expect(cache.stats.requests - before).toBeLessThanOrEqual(1);
  });

  it.each([
    ['announces another length', heldReads(BYTES, (length) => length - 1), undefined],
    ['is too short', heldReads(BYTES), -1],
    ['is too long', heldReads(BYTES), 1],
  ])('refuses an answer that %s, and keeps nothing of it', async (_, reads, delta) => {
    open(PLAIN, 64 * BLOCK, reads);
    held.onRequest = (request) =>
      request.answer(delta === undefined ? undefined : new Uint8Array(request.length + delta));
    await expect(read(0, 3 * BLOCK)).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
      details: { object: expect.stringContaining('packfile') },
    });
    expect(cache.stats.usedBytes).toBe(0);
  });

  it('keeps nothing of an object that proves corrupt at its end', async () => {
    open({ ...PLAIN, wholeBytes: BYTES }, 128 * BLOCK);
    const early = read(0, 10);
    const late = read(BYTES - 10, 10);
    await turn();
    expect(held.requests.map(({ whole }) => whole)).toEqual([true]);
    held.requests[0]?.send(BYTES);
    await early;
    held.requests[0]?.fail(new KlosetError('BLOB_CORRUPT', 'another digest'));
    await expect(late).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
    expect(cache.stats.usedBytes).toBe(0);
  });

  it('ends every request and every wait when it is closed', async () => {
    open(PLAIN, 4 * BLOCK);
    const reads = [read(0, 4 * BLOCK), read(50 * BLOCK, BLOCK)];
    await turn();
    await cache.close();
    for (const one of reads) await expect(one).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(held.requests.every(({ aborted }) => aborted)).toBe(true);
    await expect(read(0, 10)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(cache.stats.usedBytes).toBe(0);
  });
});
