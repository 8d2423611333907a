import { movedBytes, type Result, situationKey, UNITS } from './schema.ts';

const MIB = 1024 * 1024;

/** `32 × 20 MiB`, or what a store holds. */
export function sizeOf({ objects, objectBytes, storedObjects }: Result): string {
  if (objects !== undefined && objectBytes !== undefined) return `${objects} × ${bytesText(objectBytes)}`;
  return storedObjects === undefined ? '' : `store of ${storedObjects.toLocaleString('en')}`;
}

function bytesText(bytes: number): string {
  if (bytes >= 1024 * MIB) return `${bytes / 1024 / MIB} GiB`;
  return bytes >= MIB ? `${Math.round(bytes / MIB)} MiB` : `${Math.round(bytes / 1024)} KiB`;
}

/** What is between client and registry, and how many objects are under way. */
export function linkOf({ roundTripMs = 0, bandwidthBytesPerSecond, concurrency }: Result): string {
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

const HEADER = [
  ...['task', 'registry', 'size', 'link', 'contestant', 'median', 'unit', '± %', 'runs', 'MiB/s'],
  ...['ours is × as good', 'CPU s/GiB', 'requests', 'peak RSS MiB'],
];
const TEXTS = 5;

export function resultsTable(results: readonly Result[]): string {
  const ours = new Map(
    results.filter(({ contestant }) => contestant === 'ours').map((one) => [situationKey(one), one]),
  );
  const rows = results.map((one) => {
    const own = ours.get(situationKey(one));
    const bytes = one.unit === 's' ? movedBytes(one) : 0;
    return [
      one.task,
      one.registry ?? '',
      sizeOf(one),
      linkOf(one),
      one.contestant,
      figure(one.median),
      one.unit,
      (one.spread * 100).toFixed(0),
      String(one.samples.length),
      bytes > 0 ? (bytes / MIB / one.median).toFixed(0) : '',
      own && own !== one ? timesAsGood(own, one).toFixed(2) : '',
      one.cpuSecondsPerGiB?.toFixed(2) ?? '',
      one.requests?.toLocaleString('en') ?? '',
      one.peakRssBytes === undefined ? '' : (one.peakRssBytes / MIB).toFixed(0),
    ];
  });
  const rule = HEADER.map((_, i) => (i < TEXTS || i === 6 ? '---' : '---:'));
  return `${[HEADER, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

/** Three digits, as many as there are reasons for. */
function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
