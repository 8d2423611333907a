import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planChunkBytes } from '../../src/engine/chunkPlan.ts';
import { KlosetError } from '../../src/errors.ts';
import { ByteBudget } from '../../src/flow/byteBudget.ts';
import { VirtualClock } from '../../src/flow/clock.ts';
import { DEFAULT_RETRY_POLICY, withRetry } from '../../src/flow/retry.ts';

describe('the byte budget', () => {
  it('never gives out more than it has, and serves everybody', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 40 }), async (wishes) => {
        const budget = new ByteBudget(100);
        let held = 0;
        const served: number[] = [];
        await Promise.all(
          wishes.map(async (bytes, at) => {
            await budget.acquire(bytes);
            held += bytes;
            expect(held).toBeLessThanOrEqual(100);
            served.push(at);
            await Promise.resolve();
            held -= bytes;
            budget.release(bytes);
          }),
        );
        expect(served).toEqual(wishes.map((_, at) => at));
        expect(budget.usedBytes).toBe(0);
      }),
    );
  });

  it('lets a cancelled waiter go, and those behind it on', async () => {
    const budget = new ByteBudget(10);
    await budget.acquire(8);
    const stop = new AbortController();
    const large = budget.acquire(10, stop.signal);
    const small = budget.acquire(2);
    stop.abort();
    await expect(large).rejects.toMatchObject({ code: 'CANCELLED' });
    await small;
    expect(budget.usedBytes).toBe(10);
  });

  it('refuses what it could never give', async () => {
    await expect(new ByteBudget(10).acquire(11)).rejects.toThrow(RangeError);
  });
});

describe('retry', () => {
  const failing = (error: KlosetError, times: number) => {
    let left = times;
    return async () => {
      if (left-- > 0) throw error;
      return 'done';
    };
  };
  const run = (error: KlosetError, times: number, clock = new VirtualClock()) =>
    withRetry(failing(error, times), { policy: DEFAULT_RETRY_POLICY, clock });

  it('repeats what may pass', async () => {
    await expect(run(new KlosetError('CONNECTION_LOST', 'x'), 5)).resolves.toBe('done');
  });
  it('gives up and says how often it tried', async () => {
    await expect(run(new KlosetError('CONNECTION_LOST', 'x'), 6)).rejects.toThrow(/tried: 6 attempts/);
  });
  it('does not repeat what is final', async () => {
    await expect(run(new KlosetError('ACCESS_DENIED', 'x'), 1)).rejects.not.toThrow(/tried/);
  });
  it('waits as long as the registry asks', async () => {
    const clock = new VirtualClock();
    await run(new KlosetError('RATE_LIMITED', 'x', { retryAfterMs: 42_000 }), 1, clock);
    expect(clock.now()).toBe(42_000);
  });
  it('does not wait for a Retry-After beyond reason', async () => {
    await expect(run(new KlosetError('RATE_LIMITED', 'x', { retryAfterMs: 3_600_000 }), 1)).rejects.toThrow();
  });
});

describe('the chunk plan', () => {
  const sizes = fc.integer({ min: 1, max: 1_000_000 });
  it('keeps to its limits and leaves no tail of one byte where it can', () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, sizes, (size, wantedBytes, minBytes, memoryBytes) => {
        const chunk = planChunkBytes(size, { wantedBytes, minBytes, memoryBytes });
        expect(chunk).toBeGreaterThanOrEqual(1);
        expect(chunk).toBeLessThanOrEqual(memoryBytes);
        if (size > chunk) expect(chunk).toBeGreaterThanOrEqual(Math.min(minBytes, memoryBytes));
        if (size > chunk && chunk > 2 && minBytes + 2 < Math.min(wantedBytes, memoryBytes)) {
          expect(size % chunk === 1 && size % (chunk - 1) !== 1).toBe(false);
        }
      }),
    );
  });
});
