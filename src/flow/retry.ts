import { asKlosetError } from '../errors.ts';
import { Attempts, type AttemptsContext } from './attempts.ts';

export { DEFAULT_RETRY_POLICY, type RetryPolicy } from './retryPolicy.ts';

/**
 * Runs an operation until it succeeds, fails for good, or its attempts are used up; the last error then says how
 * often it was tried.
 */
export async function withRetry<T>(operation: () => Promise<T>, context: AttemptsContext): Promise<T> {
  const startedMs = context.clock.now();
  let attempts: Attempts | undefined;
  for (;;) {
    try {
      return await operation();
    } catch (thrown) {
      attempts ??= new Attempts(context, startedMs);
      await attempts.next(asKlosetError(thrown));
    }
  }
}
