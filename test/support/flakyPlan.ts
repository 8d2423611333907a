/** Random trouble on every route of the embedded registry, with a count of what it has really struck. */
import { parseFaults } from '../../src/emulator/faults/index.ts';
import type { FaultAction, FaultPlan } from '../../src/emulator/faults.ts';

/**
 * 5 % server errors, 2 % resets and 2 % stalls. Half of the resets come in the middle of a body, the other half when
 * the request has been handled, so that its answer is lost.
 */
export const FLAKY = [
  ...[500, 502, 503, 504].map((status) => `${status}:p=0.0125`),
  'reset:at=50%,p=0.01',
  'reset:handled,p=0.01',
  'stall:at=50%,p=0.02',
] as const;

export interface Struck {
  readonly errors: number;
  readonly resets: number;
  readonly stalls: number;
}

export interface FlakyPlan extends FaultPlan {
  struck(): Struck;
  /** For how long at least one request was stalled, where each is given up after so many milliseconds. */
  stalledMs(timeoutMs: number): number;
}

/**
 * A plan that notes which of its faults ended a request: the counts of the faults themselves also hold those that
 * would have struck what an earlier one had ended.
 */
export function flakyPlan(seed: number, specs: readonly string[] = FLAKY): FlakyPlan {
  const plan = parseFaults(specs, { seed });
  const count = { errors: 0, resets: 0, stalls: 0 };
  const stalledAtMs: number[] = [];
  const note = ({ kind }: FaultAction) => {
    if (kind === 'respond') count.errors++;
    else if (kind === 'stall' || kind === 'stall-response') {
      count.stalls++;
      stalledAtMs.push(performance.now());
    } else count.resets++;
  };
  return {
    start: (controls) => plan.start?.(controls) ?? (() => {}),
    before: (exchange) => {
      const action = plan.before?.(exchange);
      if (action) note(action);
      return action;
    },
    request: (exchange) => plan.request?.(exchange),
    answer: (exchange, head) => plan.answer?.(exchange, head),
    struck: () => ({ ...count }),
    stalledMs: (timeoutMs) => {
      let sum = 0;
      let untilMs = Number.NEGATIVE_INFINITY;
      for (const atMs of stalledAtMs) {
        sum += Math.max(0, atMs + timeoutMs - Math.max(untilMs, atMs));
        untilMs = atMs + timeoutMs;
      }
      return sum;
    },
  };
}
