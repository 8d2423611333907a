/** The policy as a whole against modelled registries, with the figures that it is held to. */
import { describe, expect, it } from 'vitest';
import { fixed, ours } from '../../bench/flow/controllers.ts';
import type { ModelCap, ModelSettings } from '../../bench/flow/modelRegistry.ts';
import { figuresOf, simulate } from '../../bench/flow/simulate.ts';
import { EventClock } from '../../src/flow/eventClock.ts';
import { HostFlow } from '../../src/flow/hostFlow.ts';

const MANIFESTS: ModelCap = { kinds: ['manifest-write'], perSecond: 10, burst: 10 };
const SESSIONS: ModelCap = { kinds: ['upload-start'], perSecond: 100, burst: 100 };
const LOAD = { objects: 2000, workers: 16, bytes: 100_000 };
const SEEDS = [1, 2, 3];

function registry(...caps: ModelCap[]): ModelSettings {
  return { name: 'test', caps, roundTripMs: 50, workMs: 10, mibPerSecond: 100, errorShare: 0 };
}

describe('a registry that takes ten manifests and a hundred sessions per second', () => {
  it.each([
    ['and says nothing else', undefined],
    ['and asks to wait for a second', 1000],
  ])('%s', async (_, retryAfterMs) => {
    const more = retryAfterMs === undefined ? {} : { retryAfterMs };
    const settings = registry({ ...MANIFESTS, ...more }, { ...SESSIONS, ...more });
    for (const seed of SEEDS) {
      const run = await simulate(settings, ours(), LOAD, seed);
      const settled = figuresOf(run, settings, 10_000);
      expect(settled.permittedShare).toBeGreaterThanOrEqual(0.95);
      expect(settled.refusedShare).toBeLessThanOrEqual(0.01);
      // From the first request on, and of the manifests alone.
      expect(figuresOf(run, settings).refusedShare).toBeLessThanOrEqual(0.01);
    }
  });

  it('is asked for no more than it takes, once its caps are known', async () => {
    const settings = registry(MANIFESTS, SESSIONS);
    for (const seed of SEEDS) {
      const run = await simulate(settings, ours('known', [MANIFESTS, SESSIONS]), LOAD, seed);
      expect(figuresOf(run, settings, 10_000).permittedShare).toBeGreaterThanOrEqual(0.95);
      expect(figuresOf(run, settings).refused).toBe(0);
    }
  });

  it('draws refusals by the thousand from fixed numbers of workers', async () => {
    const settings = registry(MANIFESTS, SESSIONS);
    for (const [workers, atLeast] of [
      [8, 1000],
      [64, 5000],
    ] as const) {
      const run = await simulate(settings, fixed, { ...LOAD, workers });
      expect(figuresOf(run, settings).refused).toBeGreaterThan(atLeast);
    }
  });

  it('halves its cap: fifteen seconds later all is settled', async () => {
    const settings = registry({ ...MANIFESTS, laterMs: 100_000, laterPerSecond: 5 }, SESSIONS);
    for (const seed of SEEDS) {
      const run = await simulate(settings, ours(), LOAD, seed);
      const settled = figuresOf(run, settings, 115_000, 290_000);
      expect(settled.permittedShare).toBeGreaterThanOrEqual(0.95);
      expect(settled.refusedShare).toBeLessThanOrEqual(0.01);
      expect(figuresOf(run, settings, 100_000, 115_000).permittedShare).toBeGreaterThanOrEqual(0.95);
    }
  });

  it.each([
    ['that learn it', []],
    // Both ask for all of it, and each learns that there is another one.
    ['that know it', [MANIFESTS, SESSIONS]],
  ])('is shared by two clients %s, each with at least forty of a hundred', async (_, documented) => {
    const settings = registry(MANIFESTS, SESSIONS);
    for (const seed of [...SEEDS, 5, 6, 8]) {
      const controller = ours('one of two', documented);
      const run = await simulate(settings, controller, { ...LOAD, clients: 2, untilMs: 200_000 }, seed);
      for (const client of ['A', 'B']) {
        expect(figuresOf(run, settings, 0, 190_000, client).permittedShare).toBeGreaterThanOrEqual(0.4);
      }
    }
  });
});

it('a client that comes later to a cap that another one has settled at is not shut out', async () => {
  const settings = registry(
    { ...MANIFESTS, perSecond: 60, burst: 60 },
    { ...SESSIONS, perSecond: 600, burst: 600 },
  );
  const load = { ...LOAD, objects: 1e6, clients: 2, startMs: [0, 20_000], untilMs: 80_000 };
  for (const seed of SEEDS) {
    const run = await simulate({ ...settings, roundTripMs: 5 }, ours(), load, seed);
    expect(figuresOf(run, settings, 30_000, 78_000, 'B').permittedShare).toBeGreaterThanOrEqual(0.35);
  }
});

it('more requests at once than bring anything through are taken back', async () => {
  const settings = { ...registry(), mibPerSecond: 40, roundTripMs: 20 };
  const load = { objects: 600, workers: 96, bytes: 4 * 1024 * 1024 };
  const run = await simulate(settings, ours(), load);
  expect(run.peakBulk).toBeGreaterThan(32);
  expect(run.peakBulk).toBeLessThanOrEqual(48);
  // Nothing but the bandwidth limits it.
  expect(run.seconds).toBeLessThanOrEqual(1.05 * ((600 * 4) / 40) + 1);
});

describe('one host', () => {
  it('small requests do not wait behind bulk bytes, however many there are', async () => {
    const clock = new EventClock();
    const host = new HostFlow({ clock });
    const bulk = async () => {
      const permit = host.tryEnter('upload-commit', true) ?? (await host.enter('upload-commit', true));
      await clock.sleep(60_000);
      host.settle(permit, { settlement: 'served', units: 1e9 });
    };
    const many = Array.from({ length: 500 }, bulk);
    const small = ['manifest-write', 'blob-head', 'upload-commit'].map(async (kind) => {
      const permit = host.tryEnter(kind, false) ?? (await host.enter(kind, false));
      expect(clock.now()).toBe(0);
      host.settle(permit, { settlement: 'served', units: 1 });
    });
    await clock.run(Promise.all([...small, ...many]));
  });

  it('a Retry-After holds every kind of request to the host, and tells how long', async () => {
    const clock = new EventClock();
    const host = new HostFlow({ clock });
    const permit = host.tryEnter('tag-list', false);
    if (!permit) throw new Error('expected a permit at once');
    const throttles: unknown[] = [];
    host.settle(
      permit,
      { settlement: 'throttled', units: 0, retryAfterMs: 7000 },
      { onThrottle: (event) => throttles.push(event) },
    );
    expect(throttles).toMatchObject([{ kind: 'tag-list', retryAfterMs: 7000 }]);
    expect(host.tryEnter('blob-read', false)).toBeUndefined();
    const waits: unknown[] = [];
    await clock.run(host.enter('blob-read', false, undefined, { onWait: (event) => waits.push(event) }));
    expect(clock.now()).toBeGreaterThanOrEqual(7000);
    expect(waits).toEqual([{ kind: 'blob-read', reason: 'retry-after', ms: clock.now() }]);
  });

  it('takes nothing but a count as long as nothing was refused', () => {
    const host = new HostFlow({ clock: new EventClock() });
    const permits = Array.from({ length: 32 }, () => host.tryEnter('blob-read', false));
    expect(permits.every((permit) => permit !== undefined)).toBe(true);
  });
});
