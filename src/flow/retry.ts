import { asKlosetError, type KlosetError } from '../errors.ts';
import type { Clock } from './clock.ts';

/** What a failure says about a next attempt. */
export type FailureClass = 'transient' | 'throttled' | 'final';

/** How often and how long. */
export interface RetryPolicy {
  /** Attempts without progress before giving up, the first included. */
  readonly maxAttempts: number;
  /** First delay after a transient failure, in milliseconds; doubled each time. */
  readonly baseDelayMs: number;
  /** First delay after a throttled request, in milliseconds; doubled each time. */
  readonly throttledDelayMs: number;
  /** The longest delay of our own making, in milliseconds. */
  readonly maxDelayMs: number;
  /** The longest Retry-After that is waited for, in milliseconds; a longer one ends the operation. */
  readonly maxRetryAfterMs: number;
}

/** Six attempts span about half a minute: a registry's restart, not its outage. Delays as in anchors of the field. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 6,
  baseDelayMs: 200,
  throttledDelayMs: 1000,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 15 * 60_000,
};

/** What a failure is, by its code and status. Unknown failures are final: repeating them hides a defect. */
export function classify(error: KlosetError): FailureClass {
  const { status } = error.details;
  if (error.code === 'RATE_LIMITED') return 'throttled';
  if (error.code === 'CONNECTION_LOST' || error.code === 'STALLED') return 'transient';
  if (error.code === 'REGISTRY_FAILED' && (status === 408 || status === 499 || (status ?? 0) >= 500)) {
    return status === 501 ? 'final' : 'transient';
  }
  return 'final';
}

/** Delay before attempt number `attempt` + 1, in milliseconds, or `undefined` when there should be none. */
export function retryDelayMs(
  policy: RetryPolicy,
  error: KlosetError,
  attempt: number,
  random: () => number = Math.random,
): number | undefined {
  const failure = classify(error);
  if (failure === 'final' || attempt >= policy.maxAttempts) return undefined;
  const asked = error.details.retryAfterMs ?? 0;
  if (asked > policy.maxRetryAfterMs) return undefined;
  const base = failure === 'throttled' ? policy.throttledDelayMs : policy.baseDelayMs;
  const ceiling = Math.min(base * 2 ** (attempt - 1), policy.maxDelayMs);
  // Full jitter may collapse to nothing, which is right after a reset and wrong while being throttled.
  const own = failure === 'throttled' ? ceiling / 2 + (random() * ceiling) / 2 : random() * ceiling;
  return Math.max(own, asked);
}

/** What {@link withRetry} needs beside the operation. */
export interface RetryContext {
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
}

/**
 * Runs an operation until it succeeds, fails for good, or the policy's attempts are used up; the last error then
 * says how often it was tried.
 */
export async function withRetry<T>(operation: () => Promise<T>, context: RetryContext): Promise<T> {
  const { policy, clock, signal, onRetry } = context;
  const startedMs = clock.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (thrown) {
      const error = asKlosetError(thrown);
      if (signal?.aborted) throw error;
      const delayMs = retryDelayMs(policy, error, attempt);
      if (delayMs === undefined) {
        throw attempt === 1
          ? error
          : error.with({ tried: describeAttempts(attempt, clock.now() - startedMs) });
      }
      onRetry?.(error, delayMs);
      await clock.sleep(delayMs, signal);
    }
  }
}

/** `4 attempts over 12.0 s`. */
export function describeAttempts(attempts: number, elapsedMs: number): string {
  return `${attempts} attempts over ${(elapsedMs / 1000).toFixed(1)} s`;
}
