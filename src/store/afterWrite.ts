import { type ErrorCode, isKlosetError } from '../errors.ts';
import type { Exchange } from '../registry/exchange.ts';

/** Together three seconds: GHCR has answered 404 for a manifest for some seconds after it took it. */
const DELAYS_MS = [100, 200, 400, 800, 1500];

/**
 * Reads back what was just written. Some registries do not show it at once; a read of anything else must not be
 * repeated like this, since what is not there is the usual answer.
 *
 * @param absent the code of the error that says that it is not there
 */
export async function readAfterWrite<T>(
  exchange: Exchange,
  absent: ErrorCode,
  read: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (const delayMs of DELAYS_MS) {
    try {
      return await read();
    } catch (error) {
      if (!isKlosetError(error, absent)) throw error;
      await exchange.clock.sleep(delayMs, signal);
    }
  }
  return read();
}
