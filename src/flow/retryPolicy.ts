/** How often and how long. */
export interface RetryPolicy {
  /**
   * Attempts before giving up, the first included, where the failure is this request's own: the host serves others
   * meanwhile, or answers with a plain server error.
   */
  readonly maxAttempts: number;
  /** First delay after a transient failure, in milliseconds; doubled each time. */
  readonly baseDelayMs: number;
  /** First delay after a throttled request, in milliseconds; doubled each time. */
  readonly throttledDelayMs: number;
  /** The longest delay of our own making, in milliseconds. */
  readonly maxDelayMs: number;
  /** The longest Retry-After that is waited for, in milliseconds; a longer one ends the operation. */
  readonly maxRetryAfterMs: number;
  /**
   * How long to go on without any progress, in milliseconds, while a host that has answered before is down or
   * throttles. Absent: `maxAttempts` is all there is.
   */
  readonly noProgressMs?: number | undefined;
}

/** Ten attempts at one request span most of a minute, as long as an overloaded registry may take to recover. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 10,
  baseDelayMs: 200,
  throttledDelayMs: 1000,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 15 * 60_000,
  noProgressMs: 15 * 60_000,
};
