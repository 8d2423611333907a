import { isKlosetError, KlosetError } from '../errors.ts';
import { retryDelayMs } from '../flow/retry.ts';
import type { Exchange } from '../registry/exchange.ts';

/** Reads a configuration that was just written. Reads lag behind writes on some registries, on GHCR for seconds. */
export async function readBack<T>(
  exchange: Pick<Exchange, 'policy' | 'clock'>,
  signal: AbortSignal | undefined,
  read: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (!isKlosetError(error, 'STORE_MISSING')) throw error;
      // As long as one would wait for a connection.
      const delayMs = retryDelayMs(
        exchange.policy,
        new KlosetError('CONNECTION_LOST', error.summary),
        attempt,
      );
      if (delayMs === undefined) throw error;
      await exchange.clock.sleep(delayMs, signal);
    }
  }
}
