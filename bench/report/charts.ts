/** Which charts there are, what each of them shows, and of which figures. */
import type { TopLevelSpec } from 'vega-lite';
import { isPlain, mostFrequent, type Row } from './rows.ts';
import { bars, lines } from './specs.ts';

export interface Chart {
  readonly name: string;
  readonly title: string;
  /** What one looks at, for those who see it and those who do not. */
  readonly text: string;
  readonly spec: TopLevelSpec;
}

/** Makes a chart of the newest figures; undefined where they have none for it. */
type Maker = (rows: readonly Row[]) => Chart | undefined;

const isTransfer = ({ task }: Row) => task === 'push' || task === 'pull';
const isMain = ({ contestant }: Row) => !contestant.startsWith('ours-');
const onLoopback = ({ roundTripMs = 0 }: Row) => roundTripMs === 0;

/** Of pushes and pulls of the size that most rows have: what the registries are compared by. */
function mainSize(rows: readonly Row[]): Row[] {
  const plain = rows.filter((row) => isTransfer(row) && isPlain(row) && isMain(row));
  const size = mostFrequent(plain, ({ objectBytes }) => objectBytes);
  return plain.filter(({ objectBytes }) => objectBytes === size);
}

const throughput: Maker = (rows) => {
  const data = mainSize(rows).filter(onLoopback);
  const size = data[0]?.size;
  return chart(data, {
    name: 'throughput',
    title: 'Throughput by registry',
    text: `Objects of ${size} on loopback, whole processes, medians; more is better.`,
    spec: bars(data, { y: 'mibPerSecond', title: 'MiB/s', x: 'registry', facet: 'task' }),
  });
};

const bySize: Maker = (rows) => {
  const plain = rows.filter((row) => isTransfer(row) && isPlain(row) && isMain(row) && onLoopback(row));
  const sizes = new Set(plain.map(({ objectBytes }) => objectBytes));
  return chart(sizes.size > 1 ? plain : [], {
    name: 'size',
    title: 'Throughput by size of the objects',
    text: 'On loopback, medians; more is better. 64 KiB objects go 64 to an artifact with oras.',
    spec: lines(plain, {
      ...{ x: 'objectBytes', xTitle: 'object', bytes: true, y: 'mibPerSecond', yTitle: 'MiB/s' },
      ...{ facet: 'registry', dash: 'task' },
    }),
  });
};

const byRoundTrip: Maker = (rows) => {
  const data = mainSize(rows);
  const trips = new Set(data.map(({ roundTripMs = 0 }) => roundTripMs));
  return chart(trips.size > 1 ? data : [], {
    name: 'round-trip',
    title: 'Throughput by round trip',
    text: `Objects of ${data[0]?.size} through toxiproxy, medians; more is better.`,
    spec: lines(data, {
      ...{ x: 'roundTripMs', xTitle: 'round trip, ms', y: 'mibPerSecond', yTitle: 'MiB/s' },
      ...{ facet: 'registry', dash: 'task' },
    }),
  });
};

const byConcurrency: Maker = (rows) => {
  const data = rows.filter((row) => isTransfer(row) && row.concurrency !== undefined && isMain(row));
  return chart(data, {
    name: 'concurrency',
    title: 'Throughput by objects at once',
    text: `Objects of ${data[0]?.size}, medians; more is better.`,
    spec: lines(data, {
      ...{ x: 'concurrency', xTitle: 'objects at once', log: true, y: 'mibPerSecond', yTitle: 'MiB/s' },
      ...{ facet: 'registry', dash: 'link' },
    }),
  });
};

const processor: Maker = (rows) => {
  const data = mainSize(rows).filter((row) => onLoopback(row) && row.cpuSecondsPerGiB !== undefined);
  return chart(data, {
    name: 'cpu',
    title: 'Processor time per GiB',
    text: 'Of the client, its start included, on loopback; less is better.',
    spec: bars(data, { y: 'cpuSecondsPerGiB', title: 'CPU s/GiB', x: 'registry', facet: 'task' }),
  });
};

const requests: Maker = (rows) => {
  const data = rows.filter(
    (row) => isTransfer(row) && isPlain(row) && isMain(row) && Number.isFinite(row.requestsPerGiB),
  );
  return chart(data, {
    name: 'requests',
    title: 'Requests per GiB',
    text: 'By size of the objects; less is better.',
    spec: bars(data.filter(onLoopback), {
      ...{ y: 'requestsPerGiB', title: 'requests/GiB', x: 'size', sort: 'objectBytes', facet: 'task' },
      log: true,
    }),
  });
};

const stores: Maker = (rows) => {
  const data = rows.filter(({ task, storedObjects }) => task.endsWith(', one object') && storedObjects);
  return chart(data, {
    name: 'stores',
    title: 'Cost of one object by size of the store',
    text: 'Eight at once, medians; flat is what is wanted. "bare" makes the same requests and nothing else.',
    spec: lines(data, {
      ...{ x: 'storedObjects', xTitle: 'objects in the store', log: true, y: 'median', yTitle: 'ms' },
      ...{ facet: 'registry', dash: 'task', logY: true },
    }),
  });
};

const whole: Maker = (rows) => {
  const data = rows
    .filter(({ task, unit }) => /^plakar: (restore|check|backup)$/.test(task) && unit === 's')
    .map((row) => ({ ...row, what: `${row.task.slice('plakar: '.length)}, ${row.size}, ${row.link}` }));
  return chart(data, {
    name: 'restore',
    title: 'Plakar on a registry beside a directory',
    text: 'The real plakar, encrypted stores, whole runs; less is better.',
    spec: bars(data, { y: 'median', title: 's', x: 'what' }),
  });
};

const hashing: Maker = (rows) => {
  const data = rows.filter(({ task }) => task === 'hash');
  return chart(data, {
    name: 'hash',
    title: 'SHA-256',
    text: 'By threads; more is better.',
    spec: bars(data, { y: 'median', title: 'MiB/s', x: 'concurrency' }),
  });
};

const MAKERS: readonly Maker[] = [
  ...[throughput, bySize, byRoundTrip, byConcurrency, processor, requests, stores, whole, hashing],
];

/** Of our own pushes and pulls over several runs, where there are several. */
function history(runs: readonly (readonly Row[])[]): Chart | undefined {
  const data = runs
    .flatMap(mainSize)
    .filter((row) => row.contestant === 'ours' && onLoopback(row))
    .map((row) => ({ ...row, when: `${row.date.slice(0, 16).replace('T', ' ')} ${row.commit}` }));
  const times = new Set(data.map(({ when }) => when));
  return chart(times.size > 1 ? data : [], {
    name: 'history',
    title: 'History',
    text: 'Our own throughput by commit. Machines and loads differ: see the table of runs.',
    spec: lines(data, {
      ...{ x: 'when', xTitle: 'run', ordinal: true, y: 'mibPerSecond', yTitle: 'MiB/s' },
      ...{ facet: 'task', series: 'registry' },
    }),
  });
}

function chart(data: readonly object[], made: Chart): Chart | undefined {
  return data.length > 0 ? made : undefined;
}

/** All charts that there are figures for. */
export function chartsOf(newest: readonly Row[], runs: readonly (readonly Row[])[]): Chart[] {
  return [...MAKERS.map((make) => make(newest)), history(runs)].filter((made) => made !== undefined);
}
