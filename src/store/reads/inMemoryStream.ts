const END = Promise.resolve({ done: true as const, value: undefined });

/** Bytes in memory as a stream, without the cost of a generator. */
export class InMemoryStream implements AsyncIterable<Uint8Array> {
  readonly #parts: readonly Uint8Array[];

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    const parts = this.#parts;
    let index = 0;
    return {
      next: () => {
        const value = parts[index++];
        return value === undefined ? END : Promise.resolve({ done: false, value });
      },
    };
  }
}
