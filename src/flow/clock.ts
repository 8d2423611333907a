import { cancelled } from '../errors.ts';

/** Time as policy sees it, so that tests can run a policy on a {@link VirtualClock}. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Resolves after `ms`; rejects with CANCELLED as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(cancelled(signal.reason));
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(cancelled(signal?.reason));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/** A clock that jumps to the next sleeper instead of waiting. For tests and simulations. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  /** The length of each sleep that was asked for, in order, in milliseconds. */
  readonly sleeps: number[] = [];

  now(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled(signal.reason);
    this.sleeps.push(ms);
    this.#nowMs += ms;
  }
}
