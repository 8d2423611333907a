/** Resets that a host may have open at once, and how many more it may send each second: as in nghttp2. */
const BURST = 1000;
const PER_SECOND = 33;

/**
 * Counts calls that came to nothing: reset by the host, or provoked to be reset by us. Each costs us the work of a
 * call and the host nothing, so that endless ones are an attack ("rapid reset", "made you reset").
 */
export class ResetBudget {
  readonly #nowMs: () => number;
  #left = BURST;
  #updatedMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#updatedMs = nowMs();
  }

  /** Takes one; false when there are too many. */
  spend(): boolean {
    const nowMs = this.#nowMs();
    this.#left = Math.min(BURST, this.#left + ((nowMs - this.#updatedMs) / 1000) * PER_SECOND);
    this.#updatedMs = nowMs;
    this.#left -= 1;
    return this.#left >= 0;
  }
}
