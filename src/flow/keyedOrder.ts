/** Runs what concerns the same key one after the other, in the order in which it came; other keys do not wait. */
export class KeyedOrder {
  readonly #tails = new Map<string, Promise<void>>();

  /** Resolves or rejects as `run` does, which starts when everything before it under this key has ended. */
  run<T>(key: string, run: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const result = before ? before.then(run) : run();
    const tail = result.then(
      () => {},
      () => {},
    );
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return result;
  }
}
