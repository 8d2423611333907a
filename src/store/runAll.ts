import { DEFAULT_CONCURRENCY } from '../engine/coordinator.ts';
import { asKlosetError, KlosetError, throwIfAborted } from '../errors.ts';

/** Runs a job per item, some at once; the first failure cancels the others and is thrown. */
export async function runAll<T>(
  items: Iterable<T>,
  options: { readonly signal?: AbortSignal | undefined; readonly concurrency?: number | undefined },
  job: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  throwIfAborted(options.signal);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let failure: unknown;
  // Lanes that share one iterator, and no queue: waiting for room in a queue cost 85 µs an object, and a store may
  // hold a hundred thousand of them.
  const rest = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = rest.next(); !next.done && !signal.aborted; next = rest.next()) {
      try {
        await job(next.value, signal);
      } catch (error) {
        failure ??= error;
        stop.abort(new KlosetError('CANCELLED', 'stopped, because another object failed'));
      }
    }
  };
  await Promise.all(Array.from({ length: options.concurrency ?? DEFAULT_CONCURRENCY }, lane));
  if (failure !== undefined) throw options.signal?.aborted ? asKlosetError(options.signal.reason) : failure;
  throwIfAborted(options.signal);
}
