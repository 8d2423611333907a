import { orAborted } from '../../flow/orAborted.ts';

/** Work that many wait for and that is done once. It is aborted when nobody waits for it any more. */
export class SharedWork<T> {
  readonly #running = new Map<string, { work: Promise<T>; stop: AbortController; waiting: number }>();

  /** Joins the work under this key, or starts it. */
  async run(
    key: string,
    start: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    let shared = this.#running.get(key);
    if (!shared) {
      const stop = new AbortController();
      const work = start(stop.signal).finally(() => {
        if (this.#running.get(key)?.stop === stop) this.#running.delete(key);
      });
      shared = { work, stop, waiting: 0 };
      this.#running.set(key, shared);
    }
    shared.waiting++;
    try {
      return await orAborted(shared.work, signal);
    } finally {
      shared.waiting--;
      if (shared.waiting === 0) {
        shared.stop.abort();
        if (this.#running.get(key) === shared) this.#running.delete(key);
      }
    }
  }
}
