/**
 * Aborts when nothing moves. A time limit on the whole request would either cut large bodies on slow links or let a
 * dead connection hang for as long as the largest body might take.
 */
export class Watchdog {
  readonly #timer: NodeJS.Timeout;

  constructor(stallMs: number, onStall: () => void) {
    this.#timer = setTimeout(onStall, stallMs);
    this.#timer.unref();
  }

  /** Something moved. */
  kick(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
