import type { TopLevelSpec } from 'vega-lite';
import type { Row } from './rows.ts';

const WIDTH = 300;
const HEIGHT = 180;
/** In this order everywhere, so that each has the same colour in all charts. */
const CONTESTANTS = ['ours', 'oras', 'crane', 'bare', 'directory', 'go'];

function present(data: readonly Row[]): string[] {
  const names = new Set(data.map(({ contestant }) => contestant));
  return [
    ...CONTESTANTS.filter((name) => names.has(name)),
    ...[...names].filter((n) => !CONTESTANTS.includes(n)),
  ];
}

function colour(data: readonly Row[], field: string) {
  const sort = field === 'contestant' ? present(data) : undefined;
  return { field, type: 'nominal' as const, title: null, ...(sort && { sort, scale: { domain: sort } }) };
}

const facetOf = (field: string) => ({
  facet: { field, type: 'nominal' as const, columns: 2, title: null, header: { labelFontSize: 13 } },
});

interface Bars {
  readonly x: string;
  /** A field by which the values of x stand in order. */
  readonly sort?: string;
  readonly y: string;
  /** Of the axis. */
  readonly title: string;
  readonly log?: boolean;
  /** A field with a picture for each of its values. */
  readonly facet?: string;
}

/** Bars beside each other, one for each contestant. */
export function bars(data: readonly Row[], { x, sort, y, title, log, facet }: Bars): TopLevelSpec {
  const sorting = sort ? { sort: { field: sort, op: 'min' as const } } : {};
  return {
    data: { values: plain(data) },
    width: facet ? WIDTH : WIDTH * 2,
    height: HEIGHT,
    mark: { type: 'bar' },
    encoding: {
      ...(facet && facetOf(facet)),
      x: { field: x, type: 'nominal', title: null, axis: { labelAngle: 0, labelLimit: 90 }, ...sorting },
      xOffset: { field: 'contestant', type: 'nominal', sort: present(data) },
      y: {
        ...{ field: y, type: 'quantitative', title, axis: { tickCount: 5 } },
        ...(log && { scale: { type: 'log' as const } }),
        // Two registries may have the same size: a bar is one figure.
        ...(log ? { aggregate: 'median' as const } : {}),
      },
      color: colour(data, 'contestant'),
    },
  } as TopLevelSpec;
}

interface Lines {
  readonly x: string;
  readonly xTitle: string;
  /** Powers, for sizes and counts. */
  readonly log?: boolean;
  /** The values of x are bytes: powers, named as sizes. */
  readonly bytes?: boolean;
  /** The values of x are names in their order. */
  readonly ordinal?: boolean;
  readonly y: string;
  readonly yTitle: string;
  readonly logY?: boolean;
  readonly facet: string;
  readonly dash?: string;
  /** @default contestant */
  readonly series?: string;
}

// In the language of vega's expressions.
const SIZE_LABEL =
  "datum.value >= 1073741824 ? datum.value / 1073741824 + ' GiB' : datum.value >= 1048576 ? datum.value / 1048576 + ' MiB' : datum.value / 1024 + ' KiB'";

/** Lines with points, one for each series. */
export function lines(data: readonly Row[], options: Lines): TopLevelSpec {
  const { x, xTitle, log, bytes, ordinal, y, yTitle, logY, facet, dash, series = 'contestant' } = options;
  const values = [...new Set(data.map((row) => (row as unknown as Record<string, unknown>)[x]))];
  const axis = bytes
    ? { values, labelExpr: SIZE_LABEL, grid: false }
    : {
        grid: false,
        ...(log && { values, format: '~s' }),
        ...(ordinal && { labelAngle: -30, labelLimit: 200 }),
      };
  return {
    data: { values: plain(data) },
    width: WIDTH,
    height: HEIGHT,
    mark: { type: 'line', point: { filled: true, size: 45 } },
    encoding: {
      ...facetOf(facet),
      x: {
        ...{ field: x, type: ordinal ? 'ordinal' : 'quantitative', title: xTitle, axis },
        ...((log || bytes) && { scale: { type: 'log', base: 2, nice: false } }),
      },
      y: {
        ...{ field: y, type: 'quantitative', title: yTitle, axis: { tickCount: 5 } },
        ...(logY && { scale: { type: 'log' } }),
      },
      color: colour(data, series),
      ...(dash && { strokeDash: { field: dash, type: 'nominal', title: null } }),
    },
  } as TopLevelSpec;
}

/** Without what does not apply, which a chart would draw as zero. */
function plain(data: readonly Row[]): object[] {
  return data.map((row) =>
    Object.fromEntries(
      Object.entries(row).filter(([, value]) => !Number.isNaN(value) && value !== undefined),
    ),
  );
}
