import type { Clock } from './clock.ts';
import { WaitingLine } from './waitingLine.ts';

/**
 * Lets requests through at a rate, first come first served: in any stretch of time at most the burst and what the
 * rate gives in it. The rate may change at any time.
 */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #line = new WaitingLine();
  #perSecond: number;
  #burst: number;
  #tokens: number;
  #filledMs: number;
  #pumping = false;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledMs = clock.now();
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** True while requests come faster than they may go. */
  get limits(): boolean {
    return this.#line.length > 0;
  }

  setRate(perSecond: number, burst: number): void {
    this.#fill();
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = Math.min(this.#tokens, burst);
  }

  /** Forgets what was saved up: the registry has just said that there is nothing left. */
  drain(): void {
    this.#fill();
    this.#tokens = Math.min(this.#tokens, 0);
  }

  /** Takes a token at once, or none when there is none or others wait for it. */
  tryTake(): boolean {
    if (this.#line.length > 0) return false;
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Resolves when a token is taken. @throws KlosetError CANCELLED */
  async take(signal?: AbortSignal): Promise<void> {
    if (this.tryTake()) return;
    const turn = this.#line.join(signal);
    void this.#pump();
    await turn;
  }

  /** One sleeper for all who wait. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#line.length > 0) {
        this.#fill();
        if (this.#tokens >= 1) {
          this.#tokens--;
          this.#line.callNext();
        } else {
          await this.#clock.sleep(Math.min(((1 - this.#tokens) / this.#perSecond) * 1000, MAX_NAP_MS));
        }
      }
    } finally {
      this.#pumping = false;
    }
  }

  #fill(): void {
    const nowMs = this.#clock.now();
    this.#tokens = Math.min(
      this.#burst,
      this.#tokens + ((nowMs - this.#filledMs) / 1000) * this.#perSecond + ROUNDING,
    );
    this.#filledMs = nowMs;
  }
}

/** A rate that rises while the pump sleeps is seen after this at the latest. */
const MAX_NAP_MS = 1000;
/** A sleep of exactly the missing time must not end a hair before the token is whole. */
const ROUNDING = 1e-9;
