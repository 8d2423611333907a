import { KlosetError } from '../errors.ts';
import { ceilingMs, equalJitter, fullJitter } from './backoff.ts';
import { classify, type FailureClass, isOutage } from './classify.ts';
import type { Clock } from './clock.ts';
import type { HostHealth } from './hostHealth.ts';
import type { RetryBudget } from './retryBudget.ts';
import type { RetryPolicy } from './retryPolicy.ts';

/** A host that has never answered is given a few seconds: it may be starting, or not be one. */
const FIRST_CONTACT_ATTEMPTS = 6;
/** The retry budget keeps many from asking at once; each may look often whether the host is back, in milliseconds. */
const MAX_OUTAGE_DELAY_MS = 5000;
/** Refusals in a row, and over so many milliseconds, none of which says when to come back: no rate limit is like that. */
const QUOTA_REFUSALS = 8;
const QUOTA_MS = 90_000;

/** What is known about the host that the attempts go to, and shared with all others that it is asked for. */
export interface SharedHost {
  readonly health: HostHealth;
  readonly retries: RetryBudget;
}

/** What {@link Attempts} need. */
export interface AttemptsContext {
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly host?: SharedHost | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
  readonly random?: (() => number) | undefined;
}

/** The attempts at one operation: says how long to wait before the next one, or that there is none. */
export class Attempts {
  readonly #context: AttemptsContext;
  readonly #startedMs: number;
  /** Since the last progress. */
  #failures = 0;
  /** Of these, those that count against the operation itself. */
  #own = 0;
  #allFailures = 0;
  #failingSinceMs: number | undefined;
  #servedBefore: number;
  #quotaSuspected = true;

  /** @param startedMs when the operation began, as the clock counts */
  constructor(context: AttemptsContext, startedMs: number = context.clock.now()) {
    this.#context = context;
    this.#startedMs = startedMs;
    this.#servedBefore = context.host?.health.served ?? 0;
  }

  /** Something of the operation got through: what failed before does not count any more. */
  progressed(): void {
    this.#failures = 0;
    this.#own = 0;
    this.#failingSinceMs = undefined;
    this.#quotaSuspected = true;
  }

  /**
   * Waits until the next attempt may be made.
   *
   * @param failure what to take the error for; an operation may know that a further attempt can mend what else is final
   * @throws KlosetError the given error, with what was tried, when there should be no further attempt; CANCELLED
   */
  async next(error: KlosetError, failure: FailureClass = this.#classOf(error)): Promise<void> {
    const { policy, clock, signal, host, onRetry } = this.#context;
    if (signal?.aborted) throw error;
    const delayMs = this.#delayMs(error, failure);
    onRetry?.(error, delayMs);
    await clock.sleep(delayMs, signal);
    // A throttled request waits for its turn at the rate limit; it is no sign of a host in trouble.
    if (!host || failure === 'throttled') return;
    await host.retries.take(signal);
    // The time may have run out for all while this one waited; a host that is well again is asked in any case.
    if (host.health.downMs(clock.now()) >= (policy.noProgressMs ?? Number.POSITIVE_INFINITY))
      this.#giveUp(error);
  }

  #classOf(error: KlosetError): FailureClass {
    return classify(error, this.#context.host?.health.answered);
  }

  /** `4 attempts over 12.0 s`, `1 attempt over 0.3 s`. */
  describe(): string {
    const seconds = (this.#context.clock.now() - this.#startedMs) / 1000;
    const attempts = this.#allFailures === 1 ? '1 attempt' : `${this.#allFailures} attempts`;
    return `${attempts} over ${seconds.toFixed(1)} s`;
  }

  #delayMs(error: KlosetError, failure: FailureClass): number {
    const { policy, clock } = this.#context;
    this.#failures++;
    this.#allFailures++;
    const nowMs = clock.now();
    this.#failingSinceMs ??= nowMs;
    if (failure === 'final') throw this.#allFailures === 1 ? error : error.with({ tried: this.describe() });
    this.#countOwn(error);
    if (failure === 'throttled') this.#checkQuota(error, nowMs);
    const askedMs = error.details.retryAfterMs ?? 0;
    const leftMs = this.#leftMs(nowMs);
    if (leftMs <= 0 || askedMs > Math.min(policy.maxRetryAfterMs, leftMs) || this.#isUsedUp(failure)) {
      this.#giveUp(error);
    }
    // The last attempt is made when the time is up, not before.
    return Math.min(Math.max(this.#ownDelayMs(error, failure), askedMs), leftMs);
  }

  #ownDelayMs(error: KlosetError, failure: FailureClass): number {
    const { policy, random } = this.#context;
    if (failure === 'throttled') {
      return equalJitter(ceilingMs(policy.throttledDelayMs, this.#failures, policy.maxDelayMs), random);
    }
    const mostMs = isOutage(error) ? Math.min(MAX_OUTAGE_DELAY_MS, policy.maxDelayMs) : policy.maxDelayMs;
    return fullJitter(ceilingMs(policy.baseDelayMs, this.#failures, mostMs), random);
  }

  /** A failure counts against the operation when the host is well but for it. */
  #countOwn(error: KlosetError): void {
    const served = this.#context.host?.health.served ?? 0;
    if (this.#failures === 1 || served > this.#servedBefore || !isOutage(error)) this.#own++;
    this.#servedBefore = served;
  }

  #isUsedUp(failure: FailureClass): boolean {
    const { policy, host } = this.#context;
    const all = this.#failures >= policy.maxAttempts;
    if (!host?.health.answered) return all || this.#failures >= FIRST_CONTACT_ATTEMPTS;
    if (policy.noProgressMs === undefined) return all;
    // Throttling ends with time, or turns out to be a quota.
    return failure !== 'throttled' && this.#own >= policy.maxAttempts;
  }

  /** What is left of the time without progress, of this operation and of the host as a whole. */
  #leftMs(nowMs: number): number {
    const { policy, host } = this.#context;
    if (policy.noProgressMs === undefined) return Number.POSITIVE_INFINITY;
    const mine = nowMs - (this.#failingSinceMs ?? nowMs);
    return policy.noProgressMs - Math.max(mine, host?.health.downMs(nowMs) ?? 0);
  }

  #checkQuota(error: KlosetError, nowMs: number): void {
    if (error.details.retryAfterMs !== undefined) this.#quotaSuspected = false;
    const sinceMs = nowMs - (this.#failingSinceMs ?? nowMs);
    if (!this.#quotaSuspected || this.#failures < QUOTA_REFUSALS || sinceMs < QUOTA_MS) return;
    throw new KlosetError(
      'QUOTA_EXCEEDED',
      `${error.summary}; refused each time for ${Math.round(sinceMs / 1000)} s, as a quota is, not a rate limit`,
      { ...error.details, tried: this.describe(), remedy: QUOTA_REMEDY, cause: error },
    );
  }

  #giveUp(error: KlosetError): never {
    const { policy, host } = this.#context;
    const timedOut = this.#leftMs(this.#context.clock.now()) <= 0;
    // Those who wait for the same host need not find out one after the other.
    if (timedOut) host?.retries.dissolve();
    const limit = timedOut ? `, without progress for ${formatSeconds(policy.noProgressMs)}` : '';
    throw error.with({ tried: `${this.describe()}${limit}` });
  }
}

/** What to do about a quota. */
export const QUOTA_REMEDY =
  'Free space or raise the quota of the account, project or registry; waiting does not help.';

function formatSeconds(ms = 0): string {
  return `${Math.round(ms / 1000)} s`;
}
