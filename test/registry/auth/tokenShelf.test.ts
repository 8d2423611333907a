import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScopeSet } from '../../../src/registry/auth/scopeSet.ts';
import { refreshMarginMs, type TokenNeed, TokenShelf } from '../../../src/registry/auth/tokenShelf.ts';

const PULL = ScopeSet.parse('repository:a:pull');
const BOTH = ScopeSet.parse('repository:a:pull,push');
const short: TokenNeed = { scopes: PULL, longBody: false, signal: undefined };
const long = { ...short, longBody: true };

function shelf(lifeMs: number) {
  const state = { now: 0, fail: false };
  const fetched: string[] = [];
  const held = new TokenShelf(() => state.now);
  const get = (need: TokenNeed = short, ask = BOTH) =>
    held.get(need, ask, async (scopes) => {
      if (state.fail) throw new Error('the service is away');
      fetched.push(scopes.toString());
      return { token: `t${fetched.length}`, lifeMs, scopes };
    });
  return Object.assign(state, { fetched, shelf: held, get });
}

describe('held tokens', () => {
  it('are replaced at nine tenths of their life, and before a long body sooner', async () => {
    const rig = shelf(100_000);
    expect((await rig.get()).token).toBe('t1');
    rig.now = 79_999;
    expect((await rig.get(long)).token).toBe('t1');
    rig.now = 80_000;
    expect((await rig.get()).token).toBe('t1');
    expect((await rig.get(long)).token).toBe('t2');
    rig.now = 80_000 + 89_999;
    expect((await rig.get()).token).toBe('t2');
    rig.now = 80_000 + 90_000;
    expect((await rig.get()).token).toBe('t3');
  });

  it('leave at least 10 s for a long body where that is no more than a quarter of the life', () => {
    expect([5_000, 40_000, 45_000, 60_000, 300_000].map((life) => refreshMarginMs(life, true))).toEqual([
      1250, 10_000, 10_000, 12_000, 60_000,
    ]);
  });

  it('are asked for at most once per three quarters of a life, whatever is sent', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 600_000 }),
        fc.array(fc.tuple(fc.double({ min: 0, max: 2, noNaN: true }), fc.boolean()), { maxLength: 60 }),
        async (lifeMs, steps) => {
          const rig = shelf(lifeMs);
          for (const [part, isLong] of steps) {
            rig.now += part * lifeMs;
            await rig.get(isLong ? long : short);
          }
          expect(rig.fetched.length).toBeLessThanOrEqual(Math.floor(rig.now / (0.75 * lifeMs)) + 1);
        },
      ),
    );
  });

  it('are fetched once for all who wait', async () => {
    const rig = shelf(1000);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => rig.get()));
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
    expect(rig.fetched).toEqual(['repository:a:pull,push']);
  });

  it('serve to their end while the service is away', async () => {
    const rig = shelf(1000);
    await rig.get();
    rig.fail = true;
    rig.now = 950;
    expect((await rig.get()).token).toBe('t1');
    rig.now = 1000;
    await expect(rig.get()).rejects.toThrow('away');
  });

  it('are not used for more than they were asked for, nor where another scope has to come first', async () => {
    const rig = shelf(1000);
    await rig.get(short, PULL);
    await rig.get({ ...short, scopes: BOTH }, BOTH);
    await rig.get(short, PULL);
    expect(rig.fetched).toEqual(['repository:a:pull', 'repository:a:pull,push']);
    await rig.get(short, ScopeSet.parse('repository:other:pull').with(BOTH));
    expect(rig.fetched).toHaveLength(3);
  });

  it('stop being fetched when the last one who waits goes away', async () => {
    const rig = shelf(1000);
    let aborted = 0;
    const first = new AbortController();
    const second = new AbortController();
    const wait = (signal: AbortSignal) =>
      rig.shelf.get({ ...short, signal }, BOTH, (_, stop) => {
        return new Promise((_, reject) => {
          stop.addEventListener('abort', () => {
            aborted++;
            reject(new Error('stopped'));
          });
        });
      });
    const one = expect(wait(first.signal)).rejects.toThrow('interrupted');
    const two = expect(wait(second.signal)).rejects.toThrow('interrupted');
    first.abort();
    await one;
    expect(aborted).toBe(0);
    second.abort();
    await two;
    expect(aborted).toBe(1);
    expect((await rig.get()).token).toBe('t1');
  });
});
