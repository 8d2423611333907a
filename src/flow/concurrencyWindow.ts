import { WaitingLine } from './waitingLine.ts';

/** What became of a request, for flow control. */
export type Settlement =
  /** Answered, whatever the answer says: the registry had the time for it. */
  | 'served'
  | 'throttled'
  /** A server error. */
  | 'failed'
  /** No answer: no connection, or one that broke or stalled. */
  | 'lost'
  /** Cancelled, or failed on this side: says nothing about the registry. */
  | 'neutral';

/** The constants of {@link ConcurrencyWindow}. docs/flow.md has the simulation that they come from. */
export interface WindowTuning {
  readonly initial: number;
  readonly max: number;
  /** Goodput is compared this often, in milliseconds, over at least `sampleRequests`. */
  readonly sampleMs: number;
  readonly sampleRequests: number;
  /** Growth that gives less than this is taken back. */
  readonly minGain: number;
  /** How long a window stays that growth did not help, in milliseconds. */
  readonly holdMs: number;
}

export const WINDOW_TUNING: WindowTuning = {
  initial: 32,
  max: 96,
  sampleMs: 2000,
  sampleRequests: 10,
  minGain: 1.05,
  holdMs: 30_000,
};

const THROTTLED_CUT = 0.5;
const FAILED_CUT = 0.8;
/** Of its places, those that have to be taken for a window to be in use: of the whole ones, as a place and a half is one. */
const USED_SHARE = 0.8;
/** One reset is an accident, some of few are congestion. */
const FAILURES_PER_CUT = 3;

interface Mark {
  readonly ms: number;
  readonly limit: number;
  readonly perMs: number;
}

/**
 * How many requests of one class may be under way at once: grows by one with each success at first, by one per round
 * trip later, is halved when the registry throttles, and stops where growth no longer brings more through.
 */
export class ConcurrencyWindow {
  readonly #tuning: WindowTuning;
  readonly #line = new WaitingLine();
  #limit: number;
  #inFlight = 0;
  #epoch = 0;
  #slowStart = true;
  #failures = 0;
  #mark: Mark;
  #units = 0;
  #requests = 0;
  #rateLimited = false;
  #heldUntilMs = 0;

  constructor(nowMs: number, tuning: WindowTuning = WINDOW_TUNING) {
    this.#tuning = tuning;
    this.#limit = tuning.initial;
    this.#mark = { ms: nowMs, limit: tuning.initial, perMs: 0 };
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Grows by one with each cut; what was sent before a cut cannot cause another one. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Takes a place at once, or none when none is free or others wait. */
  tryEnter(): boolean {
    if (this.#inFlight >= this.limit || this.#line.length > 0) return false;
    this.#inFlight++;
    return true;
  }

  /** Resolves when a place is taken. @throws KlosetError CANCELLED */
  async enter(signal?: AbortSignal): Promise<void> {
    // The place is taken by whoever calls the waiter, in #callWaiters: else a newcomer could take it in between.
    if (!this.tryEnter()) await this.#line.join(signal);
  }

  /**
   * Gives a place back.
   *
   * @param epoch the epoch when it was taken
   * @param units what came through, in bytes or requests: what goodput is measured in
   * @param rateLimited whether the request had waited for a rate limit: goodput then says nothing about the window
   */
  leave(settlement: Settlement, epoch: number, units: number, nowMs: number, rateLimited = false): void {
    if (settlement === 'served') this.#served(units, nowMs, rateLimited);
    else if (settlement === 'throttled') this.#cut(THROTTLED_CUT, epoch, nowMs);
    else if (settlement !== 'neutral' && ++this.#failures >= FAILURES_PER_CUT)
      this.#cut(FAILED_CUT, epoch, nowMs);
    this.#inFlight--;
    this.#callWaiters();
  }

  #callWaiters(): void {
    while (this.#inFlight < this.limit && this.#line.callNext()) this.#inFlight++;
  }

  #served(units: number, nowMs: number, rateLimited: boolean): void {
    this.#units += units;
    this.#requests++;
    if (this.#failures > 0) this.#failures -= 0.25;
    this.#rateLimited ||= rateLimited;
    const elapsedMs = nowMs - this.#mark.ms;
    if (elapsedMs >= this.#tuning.sampleMs && this.#requests >= this.#tuning.sampleRequests) {
      this.#compare(nowMs, elapsedMs);
    }
    // What the program does not use is not known to be good.
    if (this.#inFlight < USED_SHARE * this.limit || nowMs < this.#heldUntilMs) return;
    // Without a figure to compare with, growth could not be judged.
    if (this.#limit >= this.#tuning.initial && this.#mark.perMs === 0) return;
    // Between two comparisons it grows by half at most, else the second one would find it anywhere.
    const ceiling = Math.min(this.#tuning.max, Math.ceil(this.#mark.limit * 1.5));
    this.#limit = Math.min(ceiling, this.#limit + (this.#slowStart ? 1 : 1 / this.#limit));
  }

  /** The plateau stop. Not by latency: the time of an upload is mostly that of its body. */
  #compare(nowMs: number, elapsedMs: number): void {
    const perMs = this.#units / elapsedMs;
    const grown = this.#limit > this.#mark.limit && this.#limit > this.#tuning.initial;
    if (grown && !this.#rateLimited && perMs < this.#mark.perMs * this.#tuning.minGain) {
      this.#limit = this.#mark.limit;
      this.#slowStart = false;
      this.#heldUntilMs = nowMs + this.#tuning.holdMs;
    }
    this.#markAt(nowMs, perMs);
  }

  #markAt(nowMs: number, perMs: number): void {
    this.#mark = { ms: nowMs, limit: this.#limit, perMs };
    this.#units = 0;
    this.#requests = 0;
    this.#rateLimited = false;
  }

  #cut(factor: number, epoch: number, nowMs: number): void {
    if (epoch !== this.#epoch) return;
    this.#epoch++;
    this.#failures = 0;
    this.#slowStart = false;
    this.#limit = Math.max(1, this.#limit * factor);
    this.#heldUntilMs = nowMs;
    // Compared with what came through before, any smaller window would look as if its growth were of no use.
    this.#markAt(nowMs, 0);
  }
}
