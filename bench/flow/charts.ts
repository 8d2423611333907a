/** Plots as SVG files, drawn without a browser. */
import { writeFile } from 'node:fs/promises';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export interface Point {
  readonly seconds: number;
  readonly value: number;
  readonly series: string;
}

export interface Chart {
  readonly title: string;
  readonly yTitle: string;
  readonly points: readonly Point[];
  /** A dashed line: what the registry permits. */
  readonly permitted?: readonly { readonly seconds: number; readonly value: number }[];
  readonly logarithmic?: boolean;
}

export async function drawChart(path: string, chart: Chart): Promise<void> {
  const x = { field: 'seconds', type: 'quantitative', title: 'seconds' } as const;
  const y = {
    field: 'value',
    type: 'quantitative',
    title: chart.yTitle,
    scale: chart.logarithmic ? { type: 'symlog' } : {},
  } as const;
  const lines = {
    data: { values: [...chart.points] },
    mark: { type: 'line', strokeWidth: 1.5, interpolate: 'step-after' },
    encoding: { x, y, color: { field: 'series', type: 'nominal', title: null } },
  } as const;
  const permitted = {
    data: { values: [...(chart.permitted ?? [])] },
    mark: { type: 'line', strokeDash: [4, 4], color: '#888', interpolate: 'step-after' },
    encoding: { x, y },
  } as const;
  const spec = {
    title: chart.title,
    width: 640,
    height: 240,
    background: 'white',
    layer: chart.permitted ? [permitted, lines] : [lines],
  } as TopLevelSpec;
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  await writeFile(path, `${await view.toSVG()}\n`);
  view.finalize();
}
