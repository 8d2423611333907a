/** Pushes and pulls: how fast by registry, size, link and number at once, and what they cost. */
import { median } from '../suite/statistics.ts';
import { chart, type Maker } from './chart.ts';
import { isPlain, mostFrequent, type Row, withSeveral } from './rows.ts';
import { bars, lines } from './specs.ts';

const isTransfer = ({ task }: Row) => task === 'push' || task === 'pull';
const isMode = ({ contestant }: Row) => contestant.startsWith('ours-');
export const onLoopback = ({ roundTripMs = 0 }: Row) => roundTripMs === 0;

const SPEED = { y: 'mibPerSecond', yTitle: 'MiB/s', range: ['slowest', 'fastest'] } as const;
const MORE = 'Medians, with lines from the slowest to the fastest run; more is better.';

const plainTransfers = (rows: readonly Row[]) =>
  rows.filter((row) => isTransfer(row) && isPlain(row) && !isMode(row));

/** Of pushes and pulls of the size that most rows have: what the registries are compared by. */
export function mainSize(rows: readonly Row[]): Row[] {
  const plain = plainTransfers(rows);
  const size = mostFrequent(plain, ({ objectBytes }) => objectBytes);
  return plain.filter(({ objectBytes }) => objectBytes === size);
}

const placeOf = (row: Row) => `${row.task}, ${row.registry}`;
const placed = (rows: readonly Row[]) =>
  rows.map((row) => ({ ...row, place: placeOf(row) })).sort((a, b) => taskOrder(a) - taskOrder(b));
const taskOrder = ({ task }: Row) => (task === 'push' ? 0 : 1);

const throughput: Maker = (rows) => {
  const data = mainSize(rows).filter(onLoopback);
  return chart(data, () => ({
    name: 'throughput',
    title: 'Throughput by registry',
    text: `Objects of ${data[0]?.size} on loopback, whole processes, on a machine that the registry shares. ${MORE}`,
    spec: bars(data, { ...SPEED, x: 'registry', facet: 'task' }),
  }));
};

const bySize: Maker = (rows) => {
  const plain = plainTransfers(rows).filter(onLoopback);
  const data = placed(withSeveral(plain, lineOf, ({ objectBytes }) => objectBytes));
  return chart(data, () => ({
    name: 'size',
    title: 'Throughput by size of the objects',
    text: `On loopback; oras packs 64 small files to an artifact, we write each object as one of its own. ${MORE}`,
    spec: lines(data, {
      ...{ ...SPEED, x: 'objectBytes', xTitle: 'object', kind: 'bytes', facet: 'place' },
    }),
  }));
};

const lineOf = (row: Row) => `${placeOf(row)}, ${row.contestant}`;

const byRoundTrip: Maker = (rows) => {
  const data = placed(withSeveral(mainSize(rows), lineOf, ({ roundTripMs = 0 }) => roundTripMs));
  return chart(data, () => ({
    name: 'round-trip',
    title: 'Throughput by round trip',
    text: `Objects of ${data[0]?.size} through toxiproxy. ${MORE}`,
    spec: lines(
      data.map((row) => ({ ...row, roundTripMs: row.roundTripMs ?? 0 })),
      { ...SPEED, x: 'roundTripMs', xTitle: 'round trip, ms', kind: 'numbers', facet: 'place' },
    ),
  }));
};

const byBandwidth: Maker = (rows) => {
  const data = rows.filter(
    (row) => isTransfer(row) && !isMode(row) && row.bandwidthBytesPerSecond && row.concurrency === undefined,
  );
  return chart(data, () => ({
    name: 'bandwidth',
    title: 'Throughput of narrow connections',
    text: `Objects of ${data[0]?.size} through toxiproxy, which limits each connection. ${MORE}`,
    spec: bars(
      placed(data).map((row) => ({ ...row, link: row.link.replace(' per connection', '') })),
      { ...SPEED, x: 'link', facet: 'place' },
    ),
  }));
};

const byConcurrency: Maker = (rows) => {
  const own = rows.filter((row) => isTransfer(row) && row.concurrency !== undefined && !isMode(row));
  const data = own.map((row) => ({ ...row, place: `${placeOf(row)}, ${row.link}` }));
  return chart(data, () => ({
    name: 'concurrency',
    title: 'Throughput by objects at once',
    text: `Objects of ${data[0]?.size}. ${MORE}`,
    spec: lines(data, {
      ...{ ...SPEED, x: 'concurrency', xTitle: 'objects at once', kind: 'powers', facet: 'place' },
    }),
  }));
};

const processor: Maker = (rows) => {
  const data = mainSize(rows).filter((row) => onLoopback(row) && row.cpuSecondsPerGiB !== undefined);
  return chart(data, () => ({
    name: 'cpu',
    title: 'Processor time per GiB',
    text: `Of the client, its start included; objects of ${data[0]?.size} on loopback, medians; less is better.`,
    spec: bars(data, { y: 'cpuSecondsPerGiB', yTitle: 'CPU s/GiB', x: 'registry', facet: 'task' }),
  }));
};

const requests: Maker = (rows) => {
  const counted = plainTransfers(rows).filter(
    (row) => onLoopback(row) && Number.isFinite(row.requestsPerGiB),
  );
  const groups = Map.groupBy(counted, ({ task, objectBytes, contestant }) =>
    JSON.stringify([task, objectBytes, contestant]),
  );
  const data = [...groups.values()]
    .map((own) => ({ ...(own[0] as Row), requestsPerGiB: median(own.map((row) => row.requestsPerGiB)) }))
    .sort((a, b) => (a.objectBytes ?? 0) - (b.objectBytes ?? 0));
  return chart(data, () => ({
    name: 'requests',
    title: 'Requests per GiB',
    text: 'By size of the objects, median of the registries; less is better.',
    spec: bars(data, {
      ...{ y: 'requestsPerGiB', yTitle: 'requests/GiB', log: true, x: 'size', facet: 'task' },
    }),
  }));
};

const modes: Maker = (rows) => {
  const data = rows
    .filter((row) => isTransfer(row) && isMode(row))
    .map((row) => ({ ...row, mode: row.contestant.replace('ours-', '').replace('-', ', ') }));
  return chart(data, () => ({
    name: 'modes',
    title: 'Upload modes and hashers',
    text: `Our own push of objects of ${data[0]?.size} on loopback with each of its settings. ${MORE}`,
    spec: bars(data, { ...SPEED, x: 'registry', series: 'mode' }),
  }));
};

export const TRANSFER_CHARTS: readonly Maker[] = [
  ...[throughput, bySize, byRoundTrip, byBandwidth, byConcurrency, processor, requests, modes],
];
