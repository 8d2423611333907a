import PQueue from 'p-queue';
import { DEFAULT_CONCURRENCY } from '../engine/coordinator.ts';
import { asKlosetError, KlosetError, throwIfAborted } from '../errors.ts';

/** Runs a job per item, some at once; the first failure cancels the others and is thrown. */
export async function runAll<T>(
  items: readonly T[],
  options: { readonly signal?: AbortSignal | undefined; readonly concurrency?: number | undefined },
  job: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  throwIfAborted(options.signal);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const queue = new PQueue({ concurrency: options.concurrency ?? DEFAULT_CONCURRENCY });
  let failure: unknown;
  for (const item of items) {
    if (signal.aborted) break;
    // Queue no more than can run: a store may hold a hundred thousand objects.
    await queue.onSizeLessThan(1);
    queue
      .add(() => (signal.aborted ? undefined : job(item, signal)))
      .catch((error) => {
        failure ??= error;
        stop.abort(new KlosetError('CANCELLED', 'stopped, because another object failed'));
      });
  }
  await queue.onIdle();
  if (failure !== undefined) throw options.signal?.aborted ? asKlosetError(options.signal.reason) : failure;
  throwIfAborted(options.signal);
}
