import type { Clock } from './clock.ts';

/** The most that a release is spread over, in milliseconds, and its share of the pause. */
const MAX_SPREAD_MS = 5000;
const SPREAD_SHARE = 0.1;

/**
 * Holds all requests to a host until a moment that the host has named. Those who waited are let go over a tenth of the
 * pause: all at once they would be the next burst.
 */
export class HostGate {
  readonly #clock: Clock;
  readonly #random: () => number;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #spreadMs = 0;

  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  isOpen(nowMs = this.#clock.now()): boolean {
    return nowMs >= this.#notBeforeMs;
  }

  /** When it opens, as the clock counts; in the past when it is open. */
  get notBeforeMs(): number {
    return this.#notBeforeMs;
  }

  /** Closes it for so long from now. A later moment is never taken back by an earlier one. */
  close(forMs: number): void {
    const untilMs = this.#clock.now() + forMs;
    if (!(untilMs > this.#notBeforeMs)) return;
    this.#notBeforeMs = untilMs;
    this.#spreadMs = Math.min(forMs * SPREAD_SHARE, MAX_SPREAD_MS);
  }

  /** Resolves when it is open. @throws KlosetError CANCELLED */
  async pass(signal?: AbortSignal): Promise<void> {
    const spread = this.#random();
    for (let nowMs = this.#clock.now(); !this.isOpen(nowMs); nowMs = this.#clock.now()) {
      // It may have been closed for longer meanwhile.
      await this.#clock.sleep(this.#notBeforeMs - nowMs + spread * this.#spreadMs, signal);
    }
  }
}
