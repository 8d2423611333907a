/** How a rate is kept and raised while it is known this well. */
export interface LearnerStage {
  /** What is asked of the measured cap. */
  readonly share: number;
  /** Growth of a rate of ten per second, per second. */
  readonly growth: number;
  /** Above ten per second growth falls with this power of the rate: the larger, the more the smaller of two gains. */
  readonly power: number;
}

/** The constants of {@link RateLearner}. docs/flow.md has the simulation that they come from. */
export interface LearnerTuning {
  /** From nothing measured yet to measured again and again with the same result. */
  readonly stages: readonly LearnerStage[];
  /** What is left of a rate that was too high while no measurement says how much. */
  readonly cut: number;
  /** Measurements that differ by less are the same. */
  readonly tolerance: number;
  /** A measurement goes back to at least as many accepted requests, where there are so many. */
  readonly sample: number;
  /** Fewer accepted requests between two refusals measure nothing. */
  readonly minSample: number;
  /** Without a refusal for this long, in milliseconds, the cap may have been lifted: growth gets faster and faster. */
  readonly forgetMs: number;
}

const LEARNER_TUNING: LearnerTuning = {
  stages: [
    { share: 0.8, growth: 0.5, power: 0.5 },
    { share: 0.7, growth: 0.15, power: 0.75 },
    { share: 0.7, growth: 0.15, power: 0.75 },
    { share: 0.7, growth: 0.15, power: 0.75 },
    { share: 0.95, growth: 0.02, power: 0.5 },
    { share: 0.98, growth: 0.005, power: 0.5 },
    { share: 0.98, growth: 0.001, power: 0.5 },
  ],
  cut: 0.7,
  tolerance: 0.04,
  sample: 25,
  minSample: 8,
  forgetMs: 120_000,
};

/** No registry is asked less often than this, per second: a cap in the hours comes with a Retry-After. */
const MIN_PER_SECOND = 0.2;
/** The least that is tried after a first refusal, per second: a few requests before it are no measurement. */
const FIRST_PER_SECOND = 1;
/** A learned rate above this limits nothing that we could send. */
const MAX_PER_SECOND = 10_000;
/** Requests are looked back on for at least this long when the first refusal comes, in milliseconds. */
const LOOK_BACK_MS = 1000;

/** A refusal within so many seconds after another one comes soon. */
const SOON_SECONDS = 2;
/** The rate that {@link LearnerStage.growth} is given for, per second. */
const REFERENCE_PER_SECOND = 10;

/** Below this rate, per second, growth is slower again: one refusal is a large share of few requests. */
const FEW_PER_SECOND = 2;

interface Anchor {
  readonly ms: number;
  readonly accepted: number;
}

/**
 * Finds out the rate that a registry accepts and does not document.
 *
 * A refusal says that the registry's bucket was empty at that moment. Between two such moments it has accepted just
 * what its cap allows, whatever the size of the bucket and however fast we asked: that quotient is the measurement.
 * It takes one refusal, while watching the share of refused requests takes many. The rate then stays a little below
 * and creeps up until the next refusal, which measures again.
 */
export class RateLearner {
  readonly #tuning: LearnerTuning;
  #perSecond = Number.POSITIVE_INFINITY;
  #accepted = 0;
  #epoch = 0;
  #stage = 0;
  /** Moments at which the registry's bucket was empty, oldest first. */
  #anchors: Anchor[] = [];
  #measured: number | undefined;
  #grownMs = 0;
  #mark: Anchor = { ms: 0, accepted: 0 };
  #lastMark: Anchor = { ms: 0, accepted: 0 };

  constructor(tuning: LearnerTuning = LEARNER_TUNING) {
    this.#tuning = tuning;
  }

  /** Requests per second; Infinity while nothing was ever refused. */
  get perSecond(): number {
    return this.#perSecond;
  }

  /** Grows by one with each cut. A request carries the epoch that it was sent in. */
  get epoch(): number {
    return this.#epoch;
  }

  /** @param limited whether requests had to wait for their turn: a rate that is not used is not known to be safe */
  accepted(nowMs: number, limited: boolean): void {
    this.#accepted++;
    if (this.#anchors.length === 0) {
      if (nowMs - this.#mark.ms < LOOK_BACK_MS) return;
      this.#lastMark = this.#mark;
      this.#mark = { ms: nowMs, accepted: this.#accepted };
      return;
    }
    const elapsedMs = nowMs - this.#grownMs;
    this.#grownMs = nowMs;
    // After a pause the whole pause would count as growth.
    if (limited) {
      const growth = (this.#growth(nowMs) * Math.min(elapsedMs, 1000)) / 1000;
      this.#perSecond *= 1 + growth;
    }
    if (this.#perSecond > MAX_PER_SECOND) this.#forget(nowMs);
  }

  /** Returns false for the late answer to a request of an earlier epoch, which says nothing new. */
  refused(nowMs: number, epoch: number): boolean {
    if (epoch !== this.#epoch) return false;
    this.#epoch++;
    this.#grownMs = nowMs;
    const now: Anchor = { ms: nowMs, accepted: this.#accepted };
    const last = this.#anchors.at(-1);
    if (!last) {
      this.#set(Math.max(FIRST_PER_SECOND, this.#recentPerSecond(nowMs) * 0.5));
      this.#anchors = [now];
      this.#stage = 0;
      return true;
    }
    const sample = now.accepted - last.accepted;
    const seconds = Math.max(nowMs - last.ms, 1) / 1000;
    const most = (sample + 1) / seconds;
    if (sample < Math.min(this.#tuning.minSample, SOON_SECONDS * this.#perSecond)) {
      this.#set(Math.min(this.#perSecond * this.#tuning.cut, most));
      this.#anchors = [last];
      this.#stage = 0;
      this.#measured = undefined;
      return true;
    }
    this.#measure(now);
    return true;
  }

  #measure(now: Anchor): void {
    const { stages, sample, tolerance } = this.#tuning;
    const from = this.#anchors.findLastIndex(({ accepted }) => now.accepted - accepted >= sample);
    this.#anchors = this.#anchors.slice(Math.max(from, 0));
    const first = this.#anchors[0] ?? now;
    this.#anchors.push(now);
    const measured = ((now.accepted - first.accepted) * 1000) / (now.ms - first.ms);
    // What differs from the last time is a cap that changes, or another client that is given its share.
    const blur = Math.max(tolerance, 1 / (now.accepted - first.accepted));
    const same = this.#measured !== undefined && Math.abs(measured / this.#measured - 1) < blur;
    this.#stage = same ? Math.min(this.#stage + 1, stages.length - 1) : 1;
    this.#measured = measured;
    this.#set(measured * this.#stageNow.share);
  }

  get #stageNow(): LearnerStage {
    return this.#tuning.stages[this.#stage] as LearnerStage;
  }

  /**
   * Growth per second. A rate grows with its root, or more slowly still: of two clients that share a cap, the one with
   * less of it gains on the other.
   */
  #growth(nowMs: number): number {
    const { forgetMs } = this.#tuning;
    const quietMs = nowMs - (this.#anchors.at(-1)?.ms ?? nowMs);
    const few = this.#stage > 0 ? Math.min(1, this.#perSecond / FEW_PER_SECOND) : 1;
    const { growth, power } = this.#stageNow;
    const slower = REFERENCE_PER_SECOND / this.#perSecond;
    const careful = growth * few * slower ** (slower < 1 ? power : 0.5);
    if (quietMs < forgetMs) return careful;
    return Math.max(careful, Math.min(0.5, 0.01 * 2 ** ((quietMs - forgetMs) / 30_000)));
  }

  #recentPerSecond(nowMs: number): number {
    const since = nowMs - this.#mark.ms >= LOOK_BACK_MS ? this.#mark : this.#lastMark;
    return ((this.#accepted - since.accepted) * 1000) / Math.max(nowMs - since.ms, LOOK_BACK_MS);
  }

  #set(perSecond: number): void {
    this.#perSecond = Math.max(MIN_PER_SECOND, perSecond);
  }

  #forget(nowMs: number): void {
    this.#perSecond = Number.POSITIVE_INFINITY;
    this.#anchors = [];
    this.#stage = 0;
    this.#mark = { ms: nowMs, accepted: this.#accepted };
    this.#lastMark = this.#mark;
  }
}
