import type { TopLevelSpec } from 'vega-lite';

/** Colours that can be told apart on white and on black, and by people who see few colours. */
const SERIES = ['#3b82c4', '#d9822b', '#4f9d5d', '#b5536f', '#8a6fc0', '#7a7a7a'];

// Text and lines take the colour of the page, so that one picture serves light and dark.
const CONFIG = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  range: { category: SERIES },
  title: { color: 'currentColor', fontSize: 14 },
  axis: {
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    domainColor: 'currentColor',
    tickColor: 'currentColor',
    gridColor: 'currentColor',
    gridOpacity: 0.15,
  },
  legend: { labelFontSize: 11, labelColor: 'currentColor', titleColor: 'currentColor' },
  header: { labelColor: 'currentColor', titleColor: 'currentColor' },
  mark: { color: SERIES[0] ?? 'currentColor' },
} as const;

/** A chart as SVG, without a browser. */
export async function toSvg(spec: TopLevelSpec): Promise<string> {
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')]);
  const { spec: compiled } = compile(spec, { config: CONFIG });
  const view = new View(parse(compiled), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
