import type { Step } from './step.ts';

/** How far a ramp may go. */
export interface RampBounds {
  readonly maxPerSecond: number;
  /** Requests that are left to it. */
  readonly maxRequests: number;
}

/** A load to offer next. */
export interface NextLoad {
  readonly perSecond: number;
  readonly seconds: number;
}

/** What a ramp has found. */
export interface RateFinding {
  /** `cap`: the registry refuses what is above; `capacity`: it, or the way to it, takes no more; `none`: no limit was met. */
  readonly limit: 'cap' | 'capacity' | 'none';
  /** Requests per second that are accepted for longer than a burst; of `none` the highest that was offered. */
  readonly perSecond: number;
}

const FIRST_PER_SECOND = 8;
const STEP_SECONDS = 2;
/** Long enough for a burst to be used up within its first half. */
const HOLD_SECONDS = 6;
/** Two in a hundred: one 429 may be meant for somebody else behind the same address. */
const THROTTLED_SHARE = 0.02;
/** Of what was offered, the share that has to get through for the next step to make sense. */
const KEPT_UP_SHARE = 0.8;
const FAILED_SHARE = 0.2;

/** The next load of a ramp, or undefined when it has found what there is to find, or may go no further. */
export function nextLoad(steps: readonly Step[], bounds: RampBounds): NextLoad | undefined {
  const last = steps.at(-1);
  const load = last ? follow(last, steps) : { perSecond: FIRST_PER_SECOND, seconds: STEP_SECONDS };
  if (!load || load.perSecond > bounds.maxPerSecond) return undefined;
  const affordable = Math.min(load.seconds, bounds.maxRequests / load.perSecond);
  // Of less than half a step nothing follows.
  return affordable < STEP_SECONDS / 2 ? undefined : { ...load, seconds: affordable };
}

function follow(last: Step, steps: readonly Step[]): NextLoad | undefined {
  if (last.seconds >= HOLD_SECONDS) return undefined;
  if (isThrottled(last)) {
    // Held above the cap, where the registry itself shows what it lets through.
    const perSecond = Math.max(FIRST_PER_SECOND / 2, last.offeredPerSecond / 2);
    const held = steps.some(({ seconds }) => seconds >= HOLD_SECONDS);
    return held
      ? undefined
      : { perSecond: Math.max(perSecond, last.sustainedPerSecond * 1.5), seconds: HOLD_SECONDS };
  }
  if (!keptUp(last) || last.failed > FAILED_SHARE * last.sent) return undefined;
  return { perSecond: last.offeredPerSecond * 2, seconds: STEP_SECONDS };
}

/** What the steps of a ramp mean. */
export function findRate(steps: readonly Step[]): RateFinding {
  const last = steps.at(-1);
  if (!last) return { limit: 'none', perSecond: 0 };
  const throttled = steps.filter(isThrottled);
  const held = throttled.filter(({ seconds }) => seconds >= HOLD_SECONDS).at(-1) ?? throttled.at(-1);
  if (held) return { limit: 'cap', perSecond: held.sustainedPerSecond };
  const limit = keptUp(last) ? 'none' : 'capacity';
  return { limit, perSecond: Math.max(...steps.map((step) => step.accepted / step.seconds)) };
}

function isThrottled({ throttled, sent }: Step): boolean {
  return throttled > THROTTLED_SHARE * sent;
}

function keptUp({ accepted, offeredPerSecond, seconds }: Step): boolean {
  return accepted >= KEPT_UP_SHARE * offeredPerSecond * seconds;
}
