/** The parts of flow control one by one, on a clock that jumps. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConcurrencyWindow, type Settlement, WINDOW_TUNING } from '../../src/flow/concurrencyWindow.ts';
import { EventClock } from '../../src/flow/eventClock.ts';
import { HostGate } from '../../src/flow/hostGate.ts';
import { RateLearner } from '../../src/flow/rateLearner.ts';
import { RetryBudget } from '../../src/flow/retryBudget.ts';
import { TokenBucket } from '../../src/flow/tokenBucket.ts';

describe('the clock for many sleepers', () => {
  it('wakes them in the order of their times', async () => {
    const clock = new EventClock();
    const woken: number[] = [];
    await clock.run(
      Promise.all([30, 10, 20].map((ms) => clock.sleep(ms).then(() => woken.push(clock.now())))),
    );
    expect(woken).toEqual([10, 20, 30]);
  });

  it('finds a deadlock', async () => {
    await expect(new EventClock().run(new Promise(() => {}))).rejects.toThrow('nobody sleeps');
  });
});

describe('the token bucket', () => {
  it('never lets more through, in any stretch of time, than burst and rate allow', async () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 60 });
    const rates = fc.double({ min: 0.5, max: 100, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        rates,
        rates,
        fc.integer({ min: 1, max: 20 }),
        async (times, one, two, burst) => {
          const clock = new EventClock();
          const bucket = new TokenBucket(clock, one, burst);
          const issued: number[] = [];
          const arrive = async (ms: number) => {
            await clock.sleep(ms);
            await bucket.take();
            issued.push(clock.now());
          };
          const change = clock.sleep(1500).then(() => bucket.setRate(two, burst));
          await clock.run(Promise.all([...times.map(arrive), change]));
          expect(issued.length).toBe(times.length);
          const highest = Math.max(one, two);
          for (let from = 0; from < issued.length; from++) {
            for (let to = from; to < issued.length; to++) {
              const seconds = ((issued[to] ?? 0) - (issued[from] ?? 0)) / 1000;
              expect(to - from + 1).toBeLessThanOrEqual(burst + highest * seconds + 1e-3);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives the whole rate to those who wait, first come first served', async () => {
    const clock = new EventClock();
    const bucket = new TokenBucket(clock, 10, 1);
    const order: number[] = [];
    const takers = Array.from({ length: 101 }, (_, at) => bucket.take().then(() => order.push(at)));
    await clock.run(Promise.all(takers));
    expect(order).toEqual(Array.from({ length: 101 }, (_, at) => at));
    expect(clock.now()).toBeCloseTo(10_000, 0);
  });

  it('lets one who is cancelled leave the line', async () => {
    const clock = new EventClock();
    const bucket = new TokenBucket(clock, 1, 1);
    const stop = new AbortController();
    await bucket.take();
    const cancelled = bucket.take(stop.signal);
    const behind = bucket.take();
    stop.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    await clock.run(behind);
    expect(clock.now()).toBeCloseTo(1000, 0);
  });
});

describe('the window', () => {
  type Step = 'enter' | Settlement;
  const steps = fc.array(
    fc.constantFrom<Step>('enter', 'enter', 'served', 'throttled', 'failed', 'lost', 'neutral'),
    { maxLength: 300 },
  );

  it('is never below one, never over-filled, and is cut once per epoch at most', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const window = new ConcurrencyWindow(0);
        const underWay: { epoch: number }[] = [];
        let nowMs = 0;
        for (const step of sequence) {
          nowMs += 10;
          if (step === 'enter') {
            if (window.tryEnter()) underWay.push({ epoch: window.epoch });
            expect(window.inFlight).toBe(underWay.length);
            continue;
          }
          const one = underWay.shift();
          if (!one) continue;
          const before = { limit: window.limit, epoch: window.epoch };
          window.leave(step, one.epoch, 1, nowMs);
          expect(window.limit).toBeGreaterThanOrEqual(1);
          expect(window.limit).toBeLessThanOrEqual(WINDOW_TUNING.max);
          if (window.limit < before.limit && window.epoch !== before.epoch)
            expect(one.epoch).toBe(before.epoch);
          if (one.epoch !== before.epoch) expect(window.limit).toBeGreaterThanOrEqual(before.limit);
        }
      }),
    );
  });

  it('is halved once by all refusals of one moment', () => {
    const window = new ConcurrencyWindow(0);
    for (let at = 0; at < WINDOW_TUNING.initial; at++) window.tryEnter();
    const epochs = Array.from({ length: WINDOW_TUNING.initial }, () => window.epoch);
    for (const epoch of epochs) window.leave('throttled', epoch, 0, 5);
    expect(window.limit).toBe(WINDOW_TUNING.initial / 2);
  });

  it('does not grow while it is not used', () => {
    const window = new ConcurrencyWindow(0);
    for (let at = 0; at < 1000; at++) {
      window.tryEnter();
      window.leave('served', window.epoch, 1, at);
    }
    expect(window.limit).toBe(WINDOW_TUNING.initial);
  });

  it('a cancellation is no success', () => {
    const window = new ConcurrencyWindow(0);
    for (let at = 0; at < WINDOW_TUNING.initial; at++) window.tryEnter();
    for (let at = 0; at < WINDOW_TUNING.initial; at++) window.leave('neutral', window.epoch, 1, at);
    expect(window.limit).toBe(WINDOW_TUNING.initial);
  });

  it('serves those who wait in their order, before newcomers', async () => {
    const window = new ConcurrencyWindow(0, { ...WINDOW_TUNING, initial: 1, max: 1 });
    window.tryEnter();
    const order: string[] = [];
    const first = window.enter().then(() => order.push('first'));
    const second = window.enter().then(() => order.push('second'));
    window.leave('served', 0, 1, 1);
    expect(window.tryEnter()).toBe(false);
    await first;
    window.leave('served', 0, 1, 2);
    await second;
    expect(order).toEqual(['first', 'second']);
  });
});

describe('the gate', () => {
  it('never opens early, however often it is closed again', async () => {
    const closings = fc.array(
      fc.record({ atMs: fc.integer({ min: 0, max: 2000 }), forMs: fc.integer({ min: 0, max: 5000 }) }),
      { minLength: 1, maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(closings, fc.array(fc.integer({ min: 0, max: 4000 })), async (list, arrivals) => {
        const clock = new EventClock();
        const gate = new HostGate(clock);
        const until = (ms: number) =>
          Math.max(0, ...list.filter(({ atMs }) => atMs < ms).map(({ atMs, forMs }) => atMs + forMs));
        await clock.run(
          Promise.all([
            ...list.map(({ atMs, forMs }) => clock.sleep(atMs).then(() => gate.close(forMs))),
            ...arrivals.map(async (ms) => {
              await clock.sleep(ms);
              await gate.pass();
              expect(clock.now()).toBeGreaterThanOrEqual(until(clock.now()));
            }),
          ]),
        );
      }),
    );
  });

  it('lets go over a tenth of the pause, not all at once', async () => {
    const clock = new EventClock();
    const gate = new HostGate(clock);
    gate.close(10_000);
    const times: number[] = [];
    await clock.run(
      Promise.all(Array.from({ length: 64 }, () => gate.pass().then(() => times.push(clock.now())))),
    );
    expect(Math.min(...times)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...times)).toBeLessThanOrEqual(11_000);
    expect(new Set(times).size).toBeGreaterThan(32);
  });
});

describe('the retry budget', () => {
  it('asks a dead host once a second, whoever waits', async () => {
    const clock = new EventClock();
    const budget = new RetryBudget(clock);
    let asked = 0;
    const worker = async () => {
      while (clock.now() < 60_000) {
        await budget.take();
        asked++;
      }
    };
    await clock.run(Promise.all(Array.from({ length: 64 }, worker)));
    // 32 at once, one per second, and each worker's last one.
    expect(asked).toBeLessThanOrEqual(32 + 60 + 64);
    expect(asked).toBeGreaterThanOrEqual(32 + 59);
  });

  it('lets more go with each success', async () => {
    const clock = new EventClock();
    const budget = new RetryBudget(clock);
    for (let at = 0; at < 32; at++) await budget.take();
    const waiting = Array.from({ length: 10 }, () => budget.take());
    for (let at = 0; at < 20; at++) budget.succeeded();
    await Promise.all(waiting);
    expect([clock.now(), budget.waiting]).toEqual([0, 0]);
  });
});

describe('the learned rate', () => {
  it('is none until the first refusal, and one refusal per epoch counts', () => {
    const learner = new RateLearner();
    for (let ms = 0; ms < 2000; ms += 10) learner.accepted(ms, false);
    expect(learner.perSecond).toBe(Number.POSITIVE_INFINITY);
    expect(learner.refused(2000, 0)).toBe(true);
    const learned = learner.perSecond;
    expect(learned).toBeCloseTo(50, -1);
    expect(learner.refused(2001, 0)).toBe(false);
    expect(learner.perSecond).toBe(learned);
  });

  it('is a number above nothing, whatever the answers are', () => {
    const answers = fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.boolean(), fc.boolean()));
    fc.assert(
      fc.property(answers, (list) => {
        const learner = new RateLearner();
        let ms = 0;
        for (const [later, accepted, limited] of list) {
          ms += later;
          if (accepted) learner.accepted(ms, limited);
          else learner.refused(ms, learner.epoch);
          expect(learner.perSecond).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('does not rise while nobody waits for it', () => {
    const learner = new RateLearner();
    learner.refused(0, 0);
    const learned = learner.perSecond;
    for (let ms = 0; ms < 600_000; ms += 1000) learner.accepted(ms, false);
    expect(learner.perSecond).toBe(learned);
  });
});
