import { describe, expect, it } from 'vitest';
import { KlosetError } from '../../src/errors.ts';
import { Attempts, type SharedHost } from '../../src/flow/attempts.ts';
import { EventClock } from '../../src/flow/eventClock.ts';
import { HostFlow } from '../../src/flow/hostFlow.ts';
import { DEFAULT_RETRY_POLICY, withRetry } from '../../src/flow/retry.ts';

const POLICY = { ...DEFAULT_RETRY_POLICY, noProgressMs: 30_000 };
const refused = () => new KlosetError('REGISTRY_UNREACHABLE', 'cannot connect');
const throttled = (retryAfterMs?: number) =>
  new KlosetError('RATE_LIMITED', '429', {
    status: 429,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });

function hostThatAnswered(clock: EventClock): HostFlow {
  const host = new HostFlow({ clock });
  host.health.heard(true);
  return host;
}

/** An operation against a host that is down from the start until a moment, as the transport tells its health. */
function away(clock: EventClock, host: HostFlow, untilMs: number) {
  return async () => {
    if (clock.now() >= untilMs) {
      host.health.heard(true);
      host.retries.succeeded();
      return 'done';
    }
    host.health.failed(clock.now());
    throw refused();
  };
}

describe('a host that is down', () => {
  const run = (clock: EventClock, host: SharedHost, operation: () => Promise<string>) =>
    withRetry(operation, { policy: POLICY, clock, host });

  it('is given up at once when it has never answered', async () => {
    const clock = new EventClock();
    const host = new HostFlow({ clock });
    await expect(clock.run(run(clock, host, away(clock, host, 100)))).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
    expect(clock.now()).toBe(0);
  });

  it('is waited for when it comes back after 20 s, by 64 workers who do not storm it', async () => {
    const clock = new EventClock();
    const host = hostThatAnswered(clock);
    let asked = 0;
    const operation = away(clock, host, 20_000);
    const counted = () => {
      asked++;
      return operation();
    };
    const all = Promise.all(Array.from({ length: 64 }, () => run(clock, host, counted)));
    expect(new Set(await clock.run(all))).toEqual(new Set(['done']));
    // First attempts, the budget, one per second, and one success each.
    expect(asked).toBeLessThanOrEqual(64 + 32 + 21 + 64);
    expect(clock.now()).toBeLessThan(40_000);
  });

  it('is given up by all when the time without progress is over, and the error says so', async () => {
    const clock = new EventClock();
    const host = hostThatAnswered(clock);
    const operation = away(clock, host, Number.POSITIVE_INFINITY);
    const all = Promise.allSettled(Array.from({ length: 64 }, () => run(clock, host, operation)));
    for (const result of await clock.run(all)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'REGISTRY_UNREACHABLE' } });
      const { message } = (result as PromiseRejectedResult).reason;
      expect(message).toMatch(/tried: \d+ attempts? over \d+\.\d s, without progress for 30 s/);
    }
    expect(clock.now()).toBeLessThanOrEqual(31_000);
  });

  it('a pause of hours before the next failure is no time without progress', async () => {
    const clock = new EventClock();
    const host = hostThatAnswered(clock);
    host.health.failed(clock.now());
    await clock.run(clock.sleep(3_600_000));
    const result = clock.run(run(clock, host, away(clock, host, 3_610_000)));
    expect(await result).toBe('done');
  });
});

it('says how often and how long it was tried, in good English', async () => {
  const clock = new EventClock();
  const attempts = new Attempts({ policy: POLICY, clock, host: hostThatAnswered(clock), random: () => 1 });
  const failing = async () => {
    await attempts.next(new KlosetError('CONNECTION_LOST', 'x'));
    expect(attempts.describe()).toBe('1 attempt over 0.2 s');
    await attempts.next(new KlosetError('CONNECTION_LOST', 'x'));
    expect(attempts.describe()).toBe('2 attempts over 0.6 s');
  };
  await clock.run(failing());
});

describe('a request that fails while others are served', () => {
  it('is given up after its attempts', async () => {
    const clock = new EventClock();
    const host = hostThatAnswered(clock);
    let tried = 0;
    const failing = withRetry(
      async () => {
        tried++;
        host.health.heard(true);
        throw new KlosetError('CONNECTION_LOST', 'x');
      },
      { policy: POLICY, clock, host },
    );
    await expect(clock.run(failing)).rejects.toThrow(`${POLICY.maxAttempts} attempts`);
    expect(tried).toBe(POLICY.maxAttempts);
  });

  it('is tried for as long as it gets further', async () => {
    const clock = new EventClock();
    const host = hostThatAnswered(clock);
    const attempts = new Attempts({ policy: POLICY, clock, host });
    const all = async () => {
      for (let at = 0; at < 100; at++) {
        attempts.progressed();
        host.health.heard(true);
        await attempts.next(new KlosetError('CONNECTION_LOST', 'x'));
      }
    };
    await clock.run(all());
  });
});

describe('a throttled request', () => {
  const run = (errorOf: () => KlosetError, times: number, policy = DEFAULT_RETRY_POLICY) => {
    const clock = new EventClock();
    let left = times;
    const operation = async () => {
      if (left-- > 0) throw errorOf();
      return clock.now();
    };
    return clock.run(withRetry(operation, { policy, clock, host: hostThatAnswered(clock) }));
  };

  it('waits at least as long as it is asked to, and at least half of its own delay', async () => {
    expect(await run(() => throttled(42_000), 1)).toBe(42_000);
    expect(await run(() => throttled(0), 1)).toBeGreaterThanOrEqual(500);
    expect(await run(() => throttled(0.88), 3)).toBeGreaterThanOrEqual(500 + 1000 + 2000);
  });

  it('is told from a quota: refused for minutes without a word on when to come back', async () => {
    const error = await run(() => throttled(), 1000).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(error.message).toMatch(/as a quota is.*waiting does not help/);
  });

  it('is waited for where the registry says when to come back', async () => {
    expect(await run(() => throttled(10_000), 40)).toBeGreaterThanOrEqual(400_000);
  });

  it('ends when the time without progress is over, or is asked to wait for longer', async () => {
    await expect(run(() => throttled(10_000), 40, POLICY)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await expect(run(() => throttled(3_600_000), 1)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });
});
