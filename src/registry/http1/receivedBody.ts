/** Bytes of the transport's own memory that may wait for their reader before the socket is stopped. */
const HIGH_WATER_BYTES = 1024 * 1024;

interface Waiting {
  resolve(result: IteratorResult<Uint8Array, undefined>): void;
  reject(error: unknown): void;
}

/** What the connection is told by the body. */
export interface BodyHooks {
  /** There is room again. */
  onDrain(): void;
  /** The reader has left before the end. */
  onGivenUp(): void;
}

/** A body between the socket that fills it and the reader that takes its pieces. */
export class ReceivedBody implements AsyncIterableIterator<Uint8Array, undefined, undefined> {
  readonly #hooks: BodyHooks;
  readonly #pieces: Uint8Array[] = [];
  #queuedBytes = 0;
  #waiting: Waiting | undefined;
  #over = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(hooks: BodyHooks) {
    this.#hooks = hooks;
  }

  /** Whether nothing more will come. */
  get over(): boolean {
    return this.#over;
  }

  get isFull(): boolean {
    return this.#queuedBytes >= HIGH_WATER_BYTES;
  }

  push(piece: Uint8Array): void {
    if (this.#over) return;
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: piece });
      return;
    }
    this.#pieces.push(piece);
    this.#queuedBytes += piece.length;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  /** What came before is still handed out. */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#failure = { error };
    if (!this.#waiting) return;
    this.#waiting.reject(error);
    this.#waiting = undefined;
    this.#failure = undefined;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const piece = this.#pieces.shift();
    if (piece) {
      const wasFull = this.isFull;
      this.#queuedBytes -= piece.length;
      if (wasFull && !this.isFull && !this.#over) this.#hooks.onDrain();
      return Promise.resolve({ done: false, value: piece });
    }
    const failure = this.#failure;
    if (failure) {
      this.#failure = undefined;
      return Promise.reject(failure.error);
    }
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** The reader leaves. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.destroy();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The reader is told to stop: what has come is of no use to it. */
  abort(reason: unknown): void {
    if (this.#over) return;
    this.#pieces.length = 0;
    this.#queuedBytes = 0;
    this.fail(reason);
    this.#hooks.onGivenUp();
  }

  /** Gives the rest up: what waits for it gets the end. */
  destroy(): void {
    this.#pieces.length = 0;
    this.#queuedBytes = 0;
    this.#failure = undefined;
    if (this.#over) return;
    this.end();
    this.#hooks.onGivenUp();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
