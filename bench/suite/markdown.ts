import { movedBytes, type Result, situationKey, UNITS } from './schema.ts';
import { figure, markdownTable, type Table, withoutEmptyColumns } from './table.ts';

const MIB = 1024 * 1024;

/** `32 × 20 MiB`, or what a store holds. */
export function sizeOf({ objects, objectBytes, storedObjects }: Result): string {
  if (objects === 1 && objectBytes !== undefined) return bytesText(objectBytes);
  if (objects !== undefined && objectBytes !== undefined) return `${objects} × ${bytesText(objectBytes)}`;
  return storedObjects === undefined ? '' : `store of ${storedObjects.toLocaleString('en')}`;
}

export function bytesText(bytes: number): string {
  if (bytes >= 1024 * MIB) return `${bytes / 1024 / MIB} GiB`;
  return bytes >= MIB ? `${Math.round(bytes / MIB)} MiB` : `${Math.round(bytes / 1024)} KiB`;
}

type Link = {
  readonly [field in 'roundTripMs' | 'bandwidthBytesPerSecond' | 'concurrency']?: number | undefined;
};

/** What is between client and registry, and how many objects are under way. */
export function linkOf({ roundTripMs = 0, bandwidthBytesPerSecond, concurrency }: Link): string {
  return [
    ...(roundTripMs > 0 ? [`${roundTripMs} ms`] : []),
    ...(bandwidthBytesPerSecond ? [`${bandwidthBytesPerSecond / MIB} MiB/s per connection`] : []),
    ...(concurrency ? [`${concurrency} at once`] : []),
  ].join(', ');
}

/** How many times as good as another one of the same situation: above 1 is better, whatever the unit. */
export function timesAsGood(one: Result, other: Result): number {
  return UNITS[one.unit] === 'less' ? other.median / one.median : one.median / other.median;
}

const HEAD = [
  ...['task', 'registry', 'size', 'link', 'contestant', 'median', 'unit', '± %', 'runs', 'MiB/s'],
  ...['ours is × as good', 'CPU s/GiB', 'CPU s', 'requests', 'peak RSS MiB'],
];

/** All figures, one row each. */
export function resultsRows(results: readonly Result[]): Table {
  const key = (one: Result) => `${situationKey(one)} ${one.unit}`;
  const ours = new Map(
    results.filter(({ contestant }) => contestant === 'ours').map((one) => [key(one), one]),
  );
  const rows = results.map((one) => {
    const own = ours.get(key(one));
    const bytes = one.unit === 's' ? movedBytes(one) : 0;
    return [
      ...[one.task, one.registry ?? '', sizeOf(one), linkOf(one), one.contestant],
      ...[figure(one.median), one.unit, Math.round(one.spread * 100), one.samples.length],
      bytes > 0 ? Math.round(bytes / MIB / one.median) : '',
      own && own !== one ? timesAsGood(own, one).toFixed(2) : '',
      one.cpuSecondsPerGiB?.toFixed(2) ?? '',
      // Where nothing is moved; seconds of one operation may be thousandths.
      one.cpuSecondsPerGiB === undefined && one.cpuSeconds !== undefined ? figure(one.cpuSeconds) : '',
      one.requests === undefined ? '' : figure(one.requests),
      one.peakRssBytes === undefined ? '' : Math.round(one.peakRssBytes / MIB),
    ];
  });
  return withoutEmptyColumns({ head: HEAD, rows });
}

export const resultsTable = (results: readonly Result[]): string => markdownTable(resultsRows(results));
