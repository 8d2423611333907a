import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { enoughConnections, nextConnections, type ParallelStep } from '../../../src/store/stress/parallel.ts';
import { findRate, nextLoad, type RampBounds } from '../../../src/store/stress/ramp.ts';
import { percentile, type Sample, type Step, summariseStep } from '../../../src/store/stress/step.ts';

/** A registry with a token bucket, and one that is slow: what becomes of a load that is offered to it. */
interface Model {
  readonly capPerSecond: number;
  readonly burst: number;
}

function offered(model: Model, load: { perSecond: number; seconds: number }): Step {
  const samples: Sample[] = [];
  let tokens = model.burst;
  let lastMs = 0;
  for (let i = 0; i < Math.floor(load.perSecond * load.seconds); i++) {
    const atMs = (i * 1000) / load.perSecond;
    tokens = Math.min(model.burst, tokens + ((atMs - lastMs) * model.capPerSecond) / 1000);
    lastMs = atMs;
    const accepted = tokens >= 1;
    if (accepted) tokens--;
    samples.push({ atMs, latencyMs: 1, outcome: accepted ? 'accepted' : 'throttled' });
  }
  return summariseStep(load.perSecond, load.seconds, samples);
}

function ramp(model: Model, bounds: RampBounds): { steps: Step[]; sent: number } {
  const steps: Step[] = [];
  let sent = 0;
  for (;;) {
    const load = nextLoad(steps, { ...bounds, maxRequests: bounds.maxRequests - sent });
    if (!load) return { steps, sent };
    const step = offered(model, load);
    sent += step.sent;
    steps.push(step);
  }
}

describe('a ramp', () => {
  it('finds the cap of a registry to a tenth, whatever burst comes before it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 400 }),
        fc.double({ min: 0.1, max: 1.5, noNaN: true }),
        (capPerSecond, burstSeconds) => {
          // Of a burst of one a load at even intervals gets less than the cap: every other request comes too early.
          const burst = Math.max(2, Math.round(capPerSecond * burstSeconds));
          const { steps } = ramp({ capPerSecond, burst }, { maxPerSecond: 1024, maxRequests: 20_000 });
          const found = findRate(steps);
          expect(found.limit).toBe('cap');
          expect(Math.abs(found.perSecond - capPerSecond)).toBeLessThanOrEqual(
            Math.max(1, capPerSecond / 10),
          );
        },
      ),
    );
  });

  it('never sends more than it may, and always ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: 3000 }),
        (capPerSecond, maxRequests) => {
          const { sent } = ramp({ capPerSecond, burst: 10 }, { maxPerSecond: 1024, maxRequests });
          expect(sent).toBeLessThanOrEqual(maxRequests);
        },
      ),
    );
  });

  it('says so where no limit was met', () => {
    const { steps } = ramp({ capPerSecond: 1e6, burst: 1e6 }, { maxPerSecond: 256, maxRequests: 10_000 });
    expect(findRate(steps)).toEqual({ limit: 'none', perSecond: 256 });
  });

  it('ends where a registry takes no more without refusing', () => {
    const slow = (perSecond: number): Step => ({
      ...offered({ capPerSecond: 1e6, burst: 1e6 }, { perSecond, seconds: 2 }),
      accepted: Math.min(perSecond * 2, 60),
    });
    const steps = [slow(8), slow(16), slow(32), slow(64)];
    expect(nextLoad(steps, { maxPerSecond: 1024, maxRequests: 10_000 })).toBeUndefined();
    expect(findRate(steps)).toEqual({ limit: 'capacity', perSecond: 30 });
  });
});

describe('connections', () => {
  const run = (bytesPerSecond: (connections: number) => number): ParallelStep[] => {
    const steps: ParallelStep[] = [];
    for (let n = nextConnections(steps); n !== undefined; n = nextConnections(steps))
      steps.push({ connections: n, bytesPerSecond: bytesPerSecond(n), transfers: n, failed: 0 });
    return steps;
  };

  it('are doubled until more bring nothing', () => {
    const steps = run((n) => Math.min(n, 6) * 1e6);
    expect(steps.map(({ connections }) => connections)).toEqual([1, 2, 4, 8, 16]);
    expect(enoughConnections(steps)).toBe(8);
  });

  it('stay at one where one fills the link', () => {
    expect(enoughConnections(run(() => 5e6))).toBe(1);
  });
});

describe('a percentile', () => {
  it('is a value of the list', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const sorted = [...values].sort((a, b) => a - b);
          const value = percentile(sorted, share);
          expect(sorted).toContain(value);
          expect(sorted.filter((one) => one <= value).length).toBeGreaterThanOrEqual(share * sorted.length);
        },
      ),
    );
    expect(percentile([], 0.5)).toBe(0);
  });
});
