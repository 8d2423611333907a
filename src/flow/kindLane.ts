import type { Clock } from './clock.ts';
import { ConcurrencyWindow } from './concurrencyWindow.ts';
import { RateLearner } from './rateLearner.ts';
import { TokenBucket } from './tokenBucket.ts';

/** A timer that fires late must not cost its share of the rate: so much may be made up for, in seconds. */
const LATENESS_SECONDS = 0.05;

/**
 * The rate that a request had to wait for. Waiting for the documented one says nothing about the learned one: when it
 * counted as use of it, that rate rose far above the cap, where it limited nothing, and a second client of the same cap
 * was left with a twentieth of it.
 */
export type WaitedFor = 'nothing' | 'documented' | 'learned';

/** Requests of one kind to one host: what limits their rate and their number. */
export class KindLane {
  readonly kind: string;
  /** Bodies of some length. */
  readonly bulk: ConcurrencyWindow;
  /** Locks, heads, manifests: never behind bulk bytes. */
  readonly small: ConcurrencyWindow;
  readonly learner = new RateLearner();
  /** Documented limits that this kind counts towards, together with others. */
  documented: readonly TokenBucket[] = [];
  readonly #clock: Clock;
  #learned: TokenBucket | undefined;

  constructor(kind: string, clock: Clock) {
    this.kind = kind;
    this.#clock = clock;
    this.bulk = new ConcurrencyWindow(clock.now());
    this.small = new ConcurrencyWindow(clock.now());
  }

  /** True when no rate limit is known. */
  get isFree(): boolean {
    return this.#learned === undefined && this.documented.length === 0;
  }

  /** Takes a token of each bucket; tells for which of them it had to wait. */
  async takeTokens(signal: AbortSignal | undefined): Promise<WaitedFor> {
    let waitedFor: WaitedFor = 'nothing';
    for (const bucket of this.documented) {
      if (bucket.tryTake()) continue;
      await bucket.take(signal);
      waitedFor = 'documented';
    }
    if (this.#learned && !this.#learned.tryTake()) {
      await this.#learned.take(signal);
      waitedFor = 'learned';
    }
    return waitedFor;
  }

  accepted(nowMs: number, waitedFor: WaitedFor): void {
    this.learner.accepted(nowMs, waitedFor === 'learned');
    if (this.#learned) this.#follow(this.#learned);
  }

  refused(nowMs: number, epoch: number): void {
    if (!this.learner.refused(nowMs, epoch)) return;
    this.#learned ??= new TokenBucket(this.#clock, this.learner.perSecond, 1);
    this.#learned.drain();
    this.#follow(this.#learned);
  }

  #follow(bucket: TokenBucket): void {
    const { perSecond } = this.learner;
    if (Number.isFinite(perSecond)) bucket.setRate(perSecond, 1 + perSecond * LATENESS_SECONDS);
    // Those who still wait in it go at the highest rate that it had.
    else this.#learned = undefined;
  }
}
