import type { Clock } from './clock.ts';
import { WaitingLine } from './waitingLine.ts';

/** Retries that a host is sent at once when it begins to fail. */
const CAPACITY = 32;
/** What each request that went well allows: of all requests, at most half are retries. */
const PER_SUCCESS = 1;
/** What time allows, per second: a host that is down is asked this often, by however many who wait for it. */
const PER_SECOND = 1;

/**
 * Retries that one host may be sent. Sixty-four uploads that all try again are a storm that keeps down what was
 * about to come up; here they wait for one another, and each success lets more of them go.
 */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #line = new WaitingLine();
  #tokens = CAPACITY;
  #filledMs: number;
  #pumping = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledMs = clock.now();
  }

  get waiting(): number {
    return this.#line.length;
  }

  /** A request went well. */
  succeeded(): void {
    if (this.#tokens >= CAPACITY) return;
    this.#tokens = Math.min(CAPACITY, this.#tokens + PER_SUCCESS);
    this.#release();
  }

  /** Resolves when a retry may go. @throws KlosetError CANCELLED */
  async take(signal?: AbortSignal): Promise<void> {
    this.#fill();
    if (this.#line.length === 0 && this.#tokens >= 1) {
      this.#tokens--;
      return;
    }
    const turn = this.#line.join(signal);
    void this.#pump();
    await turn;
  }

  /** Lets everybody go, to find that there is nothing left to wait for. */
  dissolve(): void {
    while (this.#line.callNext());
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#line.length > 0) {
        await this.#clock.sleep(Math.max(0, ((1 - this.#tokens) / PER_SECOND) * 1000));
        this.#fill();
        this.#release();
      }
    } finally {
      this.#pumping = false;
    }
  }

  #release(): void {
    while (this.#tokens >= 1 && this.#line.callNext()) this.#tokens--;
  }

  #fill(): void {
    const nowMs = this.#clock.now();
    this.#tokens = Math.min(CAPACITY, this.#tokens + ((nowMs - this.#filledMs) / 1000) * PER_SECOND + 1e-9);
    this.#filledMs = nowMs;
  }
}
