/** Figures beside their budgets. */
import { BUDGETS, type Budget, type ScenarioName } from './budgets.ts';
import type { Figures } from './scenario.ts';

export interface Verdict {
  readonly scenario: string;
  readonly figure: string;
  readonly ok: boolean;
  readonly text: string;
}

/** A verdict on every budget; a figure that has none, and a budget whose figure is missing, fail too. */
export function judge(scenario: ScenarioName, figures: Figures): Verdict[] {
  const budgets: Readonly<Record<string, Budget>> = BUDGETS[scenario];
  const verdicts = Object.entries(budgets).map(([figure, { atMost, atLeast, reason }]) => {
    const value = figures[figure];
    const ok =
      value !== undefined &&
      value <= (atMost ?? Number.POSITIVE_INFINITY) &&
      value >= (atLeast ?? Number.NEGATIVE_INFINITY);
    const bound = [
      atLeast !== undefined && `at least ${atLeast}`,
      atMost !== undefined && `at most ${atMost}`,
    ];
    const shown = value === undefined ? 'missing' : String(Number(value.toFixed(3)));
    const text = `${shown} (${bound.filter(Boolean).join(', ')})${ok ? '' : `: ${reason}`}`;
    return { scenario, figure, ok, text };
  });
  const unknown = Object.keys(figures).filter((figure) => !(figure in budgets));
  return [
    ...verdicts,
    ...unknown.map((figure) => ({ scenario, figure, ok: false, text: `${figures[figure]} has no budget` })),
  ];
}
