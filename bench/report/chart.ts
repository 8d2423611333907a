import type { TopLevelSpec } from 'vega-lite';
import type { Row } from './rows.ts';

export interface Chart {
  readonly name: string;
  readonly title: string;
  /** What one looks at, for those who see it and those who do not. */
  readonly text: string;
  readonly spec: TopLevelSpec;
}

/** Makes a chart of the newest figures; undefined where they have none for it. */
export type Maker = (rows: readonly Row[]) => Chart | undefined;

/** The chart, unless there is nothing in it. */
export function chart(data: readonly Row[], made: () => Chart): Chart | undefined {
  return data.length > 0 ? made() : undefined;
}
