import { cancelled } from '../errors.ts';

/** Those who wait for something, first come first served. One who is cancelled leaves the line. */
export class WaitingLine {
  readonly #waiting: (() => void)[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  /** Resolves when its turn comes. @throws KlosetError CANCELLED */
  join(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(cancelled(signal.reason));
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        const at = this.#waiting.indexOf(called);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(cancelled(signal?.reason));
      };
      const called = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiting.push(called);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets the first one go. Returns false when nobody waits. */
  callNext(): boolean {
    const called = this.#waiting.shift();
    called?.();
    return called !== undefined;
  }
}
