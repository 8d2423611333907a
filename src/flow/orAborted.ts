import { cancelled } from '../errors.ts';

/**
 * Waits for work that others do and that goes on without this caller: rejects with CANCELLED as soon as the signal
 * aborts.
 */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  // Left alone, it may fail with nobody to hear it.
  work.catch(() => {});
  if (signal.aborted) throw cancelled(signal.reason);
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(cancelled(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
