import type { TopLevelSpec } from 'vega-lite';
import { coloursOf } from './colours.ts';
import { orderOf } from './order.ts';
import type { Row } from './rows.ts';

/** Two facets and their axis fill a page and a README. */
const WIDTH = 370;
const HEIGHT = 190;
/** Names longer than that are shortened; without a browser their widths are guessed, and guessed high. */
const LABEL_LIMIT = 200;

/** What is drawn: a row with whatever a chart adds to it. */
type Datum = Row & Readonly<Record<string, unknown>>;

const named = (data: readonly Datum[], field: string) => ({
  ...{ field, type: 'nominal' as const, title: null },
  sort: orderOf(data.map((row) => String(row[field] ?? ''))),
});

const facetOf = (data: readonly Datum[], field: string) => ({
  facet: { ...named(data, field), columns: 2, header: { labelFontSize: 13 } },
});

/** Two facets or more share the page's width; one has it for itself. */
function widthOf(data: readonly Datum[], facet: string | undefined): number {
  const facets = facet === undefined ? 1 : new Set(data.map((row) => row[facet])).size;
  return facets > 1 ? WIDTH : WIDTH * 2;
}

function colour(data: readonly Datum[], field: string) {
  const domain = orderOf(data.map((row) => String(row[field] ?? '')));
  return { field, type: 'nominal' as const, title: null, scale: { domain, range: coloursOf(domain) } };
}

// In the language of vega's expressions, as below.
const POWER_LABEL = "format(datum.value, datum.value >= 1000 ? '~s' : '~g')";

/** The axis of a figure, with the range of its runs drawn as a line through it where a row has one. */
interface Measure {
  readonly y: string;
  readonly yTitle: string;
  /** Powers of ten, for figures that differ by orders of magnitude. */
  readonly log?: boolean;
  /** The fields of the least and the most of the runs. */
  readonly range?: readonly [low: string, high: string];
}

function measure(data: readonly Datum[], { y, yTitle, log }: Measure) {
  const values = log ? powersAround(data.map((row) => Number(row[y]))) : undefined;
  const axis = values ? { values, labelExpr: POWER_LABEL } : { tickCount: 5 };
  const scale = values && { scale: { type: 'log' as const, domain: [values[0], values.at(-1)] } };
  // Stacked from zero, as bars are otherwise, they would have no height on a scale of powers.
  return { field: y, type: 'quantitative' as const, title: yTitle, axis, stack: null, ...scale };
}

function powersAround(values: readonly number[]): number[] {
  const exponents = values.filter((value) => value > 0).map(Math.log10);
  const [from, to] = [Math.floor(Math.min(...exponents)), Math.ceil(Math.max(...exponents))];
  return Array.from({ length: Math.max(to - from, 1) + 1 }, (_, i) => 10 ** (from + i));
}

interface Bars extends Measure {
  readonly x: string;
  /** What the colours tell apart. @default contestant */
  readonly series?: string;
  /** A field with a picture for each of its values. */
  readonly facet?: string;
}

/** Bars beside each other, one for each contestant. */
export function bars(rows: readonly Row[], options: Bars): TopLevelSpec {
  const data = rows as readonly Datum[];
  const { x, series = 'contestant', facet, range } = options;
  const across = {
    x: { ...named(data, x), axis: { labelAngle: 0, labelLimit: LABEL_LIMIT, labelOverlap: false } },
    xOffset: { field: series, type: 'nominal', sort: orderOf(data.map((row) => String(row[series] ?? ''))) },
  };
  const layer = [
    { mark: 'bar', encoding: { ...across, y: measure(data, options), color: colour(data, series) } },
    ...(range ? [whisker(across, range)] : []),
  ];
  return framed(data, layer, facet);
}

const STROKE = { symbolStrokeColor: 'currentColor' };

interface Lines extends Measure {
  readonly x: string;
  readonly xTitle: string;
  /** `powers` for counts, `bytes` for sizes, which are powers with names, `names` for what has an order and no distance. */
  readonly kind: 'numbers' | 'powers' | 'bytes' | 'names';
  readonly facet: string;
  /** A second distinction within a colour. */
  readonly dash?: string;
  /** What the colours tell apart. @default contestant */
  readonly series?: string;
}

/** Lines with points, one for each series. */
export function lines(rows: readonly Row[], options: Lines): TopLevelSpec {
  const data = rows as readonly Datum[];
  const { x, xTitle, kind, facet, dash, series = 'contestant', range } = options;
  const across = { x: { field: x, title: xTitle, ...horizontal(data, x, kind) } };
  const seen = { ...across, y: measure(data, options), color: colour(data, series) };
  const dashes = dash && { ...named(data, dash), legend: { symbolType: 'stroke', ...STROKE } };
  const layer = [
    { mark: 'line', encoding: { ...seen, ...(dashes && { strokeDash: dashes, detail: { field: dash } }) } },
    // A point takes part in no distinction but that of colours: the legend of dashes would show it instead.
    {
      mark: { type: 'point', filled: true, size: 40, opacity: 1 },
      encoding: { ...seen, ...(dash && { detail: { field: dash } }) },
    },
    ...(range ? [whisker({ ...across, color: colour(data, series) }, range)] : []),
  ];
  return framed(data, layer, facet);
}

const SIZE_LABEL =
  "datum.value >= 1073741824 ? datum.value / 1073741824 + ' GiB' : datum.value >= 1048576 ? datum.value / 1048576 + ' MiB' : datum.value / 1024 + ' KiB'";

function horizontal(data: readonly Datum[], x: string, kind: Lines['kind']) {
  if (kind === 'names')
    return { type: 'ordinal', sort: null, axis: { labelAngle: -30, labelLimit: 200, grid: false } };
  // Where something was measured, and nowhere else.
  const values = [...new Set(data.map((row) => row[x]))];
  const axis = { values, grid: false, labelOverlap: false, ...(kind === 'powers' && { format: '~s' }) };
  const named = { ...axis, ...(kind === 'bytes' && { labelExpr: SIZE_LABEL }) };
  const scale = { padding: 12, nice: false, ...(kind !== 'numbers' && { type: 'log', base: 2 }) };
  return { type: 'quantitative', axis: named, scale };
}

/** From the least to the most of the runs. */
function whisker(across: object, [low, high]: readonly [string, string]) {
  return {
    mark: { type: 'rule', color: 'currentColor', opacity: 0.6 },
    encoding: { ...across, y: { field: low, type: 'quantitative' }, y2: { field: high } },
  };
}

function framed(data: readonly Datum[], layer: readonly object[], facet: string | undefined): TopLevelSpec {
  const inner = { width: widthOf(data, facet), height: HEIGHT, layer };
  return {
    data: { values: plain(data) },
    ...(facet === undefined ? inner : { ...facetOf(data, facet), columns: 2, spec: inner }),
  } as unknown as TopLevelSpec;
}

/** Without what does not apply, which a chart would draw as zero. */
function plain(data: readonly Datum[]): object[] {
  return data.map((row) =>
    Object.fromEntries(
      Object.entries(row).filter(([, value]) => !Number.isNaN(value) && value !== undefined),
    ),
  );
}
