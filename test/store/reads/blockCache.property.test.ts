import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KlosetError } from '../../../src/errors.ts';
import { BlockCache, type CachedObject } from '../../../src/store/reads/blockCache.ts';
import { DEFAULT_READ_POLICY, fitPolicy, type ReadPolicy } from '../../../src/store/reads/readPolicy.ts';
import { collect, refOf } from '../../engine/rig.ts';
import { type HeldRequest, heldReads } from './heldReads.ts';

/** The real policy with every length divided by 1024, so that a few KiB are a packfile. */
function shrunk<T extends object>(policy: T): T {
  const fields = Object.entries(policy).map(([name, value]) => {
    if (typeof value === 'object') return [name, shrunk(value)];
    return [name, /Bytes$|^bytesPer/.test(name) ? value / 1024 : value];
  });
  return Object.fromEntries(fields) as T;
}

const SMALL: ReadPolicy = { ...shrunk(DEFAULT_READ_POLICY), wholeBytes: 0 };
const BLOCK = SMALL.blockBytes;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What happens to a request: how much arrives per turn, and where it breaks, if at all. */
const fates = fc.array(
  fc.record({ pace: fc.integer({ min: 1, max: 3000 }), breaksAt: fc.option(fc.nat(3000), { freq: 6 }) }),
  { minLength: 1, maxLength: 8 },
);

const reads = (bytes: number) =>
  fc.array(
    fc.record({
      offset: fc.nat(bytes - 1),
      length: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 300 }) },
        { weight: 2, arbitrary: fc.integer({ min: 1, max: 4000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: bytes }) },
      ),
      /** Continues where the read before it ended. */
      goesOn: fc.boolean(),
      /** How many turns later it begins, and after how many more it is given up. */
      after: fc.nat(3),
      givesUp: fc.option(fc.nat(5), { freq: 5 }),
    }),
    { minLength: 1, maxLength: 40 },
  );

const scenarios = fc
  .record({
    bytes: fc.integer({ min: 1, max: 40_000 }),
    cacheBytes: fc.integer({ min: 4 * BLOCK, max: 40 * BLOCK }),
    fates,
  })
  .chain((base) => reads(base.bytes).map((list) => ({ ...base, reads: list })));

/** Lets every request go on at its own pace, a step per turn. */
function drive(held: ReturnType<typeof heldReads>, fate: { pace: number; breaksAt: number | null }[]) {
  const live = new Map<HeldRequest, { pace: number; breaksAt: number | null; sent: number }>();
  let count = 0;
  held.onRequest = (request) => {
    const own = fate[count++ % fate.length] ?? { pace: 100, breaksAt: null };
    live.set(request, { ...own, sent: 0 });
  };
  return {
    failures: () => fate.some(({ breaksAt }) => breaksAt !== null),
    step: () => {
      for (const [request, state] of live) {
        state.sent += state.pace;
        if (state.breaksAt !== null && state.sent >= state.breaksAt) {
          request.fail(new KlosetError('CONNECTION_LOST', 'broke'));
          live.delete(request);
        } else if (state.sent >= request.length) {
          request.answer();
          live.delete(request);
        } else request.send(state.pace);
      }
      return live.size;
    },
  };
}

describe('the block cache', () => {
  it('gives the bytes of the object, in bounded memory, whatever the reads, failures and cancellations', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ bytes, cacheBytes, fates: fate, reads: list }) => {
        const held = heldReads(bytes);
        const rig = drive(held, fate);
        const policy = fitPolicy({ ...SMALL, wholeBytes: 4 * BLOCK }, cacheBytes);
        const cache = new BlockCache(policy, cacheBytes, held.read);
        const object = cache.object(refOf(1), bytes);
        let position = 0;
        const outcomes: Promise<void>[] = [];
        for (const { offset, length, goesOn, after, givesUp } of list) {
          for (let i = 0; i < after; i++) {
            rig.step();
            await turn();
          }
          const start = goesOn ? position % bytes : offset;
          const cut = Math.min(length, bytes - start);
          position = start + cut;
          const stop = new AbortController();
          if (givesUp !== null)
            void (async () => {
              for (let i = 0; i < givesUp; i++) await turn();
              stop.abort();
            })();
          const content = cache.read(object, { offset: start, length: cut }, stop.signal);
          outcomes.push(
            collect(content.stream).then(
              (found) => expect(found.equals(held.content.subarray(start, start + cut))).toBe(true),
              (error: KlosetError) => {
                const allowed = [givesUp !== null && 'CANCELLED', rig.failures() && 'CONNECTION_LOST'];
                expect(allowed).toContain(error.code);
              },
            ),
          );
        }
        let open = outcomes.length;
        for (const outcome of outcomes) void outcome.finally(() => open--).catch(() => {});
        for (let i = 0; open > 0; i++) {
          rig.step();
          await turn();
          if (i > 20_000) throw new Error('reads hang');
        }
        await Promise.all(outcomes);
        while (rig.step() > 0) await turn();
        await turn();
        const { peakBytes, usedBytes } = cache.stats;
        expect(peakBytes).toBeLessThanOrEqual(cacheBytes);
        expect(usedBytes).toBe(bytesInMemory(object));
        await cache.close();
        cache.forget(object);
        expect(cache.stats.usedBytes).toBe(0);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  it('fetches no byte twice where the object fits into memory', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ bytes, reads: list }) => {
        const held = heldReads(bytes);
        held.onRequest = (request) => request.answer();
        const cache = new BlockCache(SMALL, 2 * bytes + 100 * BLOCK, held.read);
        const object = cache.object(refOf(1), bytes);
        const found = await Promise.all(
          list.map(async ({ offset, length, after }) => {
            for (let i = 0; i < after; i++) await turn();
            const cut = Math.min(length, bytes - offset);
            const content = await collect(cache.read(object, { offset, length: cut }, undefined).stream);
            return content.equals(held.content.subarray(offset, offset + cut));
          }),
        );
        expect(found.every(Boolean)).toBe(true);
        const counts = new Uint8Array(Math.ceil(bytes / BLOCK));
        for (const { offset, length } of held.requests)
          for (let at = offset; at < offset + length; at += BLOCK)
            counts[at / BLOCK] = (counts[at / BLOCK] ?? 0) + 1;
        expect(Math.max(...counts)).toBeLessThanOrEqual(1);
        expect(cache.stats.fetchedBytes).toBeLessThanOrEqual(bytes);
        await cache.close();
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  it('fetches what is read, a window around each read, and no more in vain than the credit allows', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ bytes, reads: list }) => {
        const held = heldReads(bytes);
        held.onRequest = (request) => request.answer();
        const cache = new BlockCache(SMALL, 2 * bytes + 100 * BLOCK, held.read);
        const object = cache.object(refOf(1), bytes);
        const read = new Set<number>();
        for (const { offset, length } of list) {
          const end = Math.min(bytes, offset + length);
          await collect(cache.read(object, { offset, length: end - offset }, undefined).stream);
          for (let at = Math.floor(offset / BLOCK); at * BLOCK < end; at++) read.add(at);
        }
        const { freeBytes, maxStepBytes } = SMALL.credit;
        const readBytes = read.size * BLOCK;
        const windows = list.length * (SMALL.windowBytes + BLOCK);
        const { ratio, fullBytes } = SMALL.credit;
        const earned = ratio * Math.min(readBytes, fullBytes) + Math.max(0, readBytes - fullBytes);
        expect(cache.stats.fetchedBytes).toBeLessThanOrEqual(
          readBytes + windows + freeBytes + maxStepBytes + earned,
        );
        await cache.close();
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});

function bytesInMemory(object: CachedObject): number {
  return object.blocks.reduce((sum, block) => sum + (block?.bytes ?? 0), 0);
}
