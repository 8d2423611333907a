/** Which charts there are, what each of them shows, and of which figures. */
import { type Chart, chart, type Maker } from './chart.ts';
import type { Row } from './rows.ts';
import { bars, lines } from './specs.ts';
import { mainSize, onLoopback, TRANSFER_CHARTS } from './transferCharts.ts';

const RANGE = ['least', 'most'] as const;
const LESS = 'Medians, with lines from the fastest to the slowest run; less is better.';

const whole: Maker = (rows) => {
  const data = rows
    .filter(({ task, unit }) => /^whole: (backup|restore|check|maintenance)$/.test(task) && unit === 's')
    .map((row) => ({ ...row, task: row.task.replace(/^\w+: /, ''), place: `${row.size}, ${row.link}` }));
  return chart(data, () => ({
    name: 'restore',
    title: 'Plakar on a registry beside a directory',
    text: `The real plakar with encrypted stores, whole runs; restic beside it on the same tree, into a REST server of rclone. ${LESS}`,
    spec: bars(data, { y: 'median', yTitle: 's', range: RANGE, x: 'task', facet: 'place' }),
  }));
};

const stores: Maker = (rows) => {
  const data = rows
    .filter(({ task, storedObjects }) => task.endsWith(', one object') && storedObjects)
    .map((row) => ({ ...row, task: row.task.replace(', one object', '') }));
  return chart(data, () => ({
    name: 'stores',
    title: 'Cost of one object by size of the store',
    text: 'Eight at once, medians; flat is what is wanted. "bare" makes the same requests and nothing else.',
    spec: lines(data, {
      ...{ x: 'storedObjects', xTitle: 'objects in the store', kind: 'powers' },
      ...{ y: 'median', yTitle: 'ms', log: true, facet: 'registry', series: 'task', dash: 'contestant' },
    }),
  }));
};

const listing: Maker = (rows) => {
  const data = rows
    .filter(({ task, storedObjects, unit }) => task === 'list' && storedObjects && unit === 's')
    .sort((a, b) => (a.storedObjects ?? 0) - (b.storedObjects ?? 0))
    .map((row) => ({ ...row, tags: `${(row.storedObjects ?? 0).toLocaleString('en')} tags, ${row.link}` }));
  return chart(data, () => ({
    name: 'list',
    title: 'Listing',
    text: `Pages of 1,000 tags from a server that has them ready. "bare" fetches them and looks at nothing. ${LESS}`,
    spec: bars(data, { y: 'median', yTitle: 's', log: true, range: RANGE, x: 'tags' }),
  }));
};

const plugin: Maker = (rows) => {
  const data = rows
    .filter(({ task, unit }) => task.startsWith('plugin: ') && unit === 'MiB/s')
    .map((row) => ({ ...row, what: `${row.task.slice('plugin: '.length)}, ${row.concurrency} at once` }));
  return chart(data, () => ({
    name: 'plugin',
    title: "The plugin's transport",
    text: 'Through its two pipes under a host on grpc-go, into a service that stores nothing. Medians; more is better.',
    spec: bars(data, { y: 'median', yTitle: 'MiB/s', range: RANGE, x: 'what' }),
  }));
};

const hashing: Maker = (rows) => {
  const data = rows
    .filter(({ task }) => task === 'hash')
    .map((row) => ({ ...row, lanes: `${row.concurrency} at once` }));
  return chart(data, () => ({
    name: 'hash',
    title: 'SHA-256',
    text: 'Slabs of 16 MiB in worker threads, of which there are as many as processors. More is better.',
    spec: bars(data, { y: 'median', yTitle: 'MiB/s', range: RANGE, x: 'lanes' }),
  }));
};

const MAKERS: readonly Maker[] = [...TRANSFER_CHARTS, whole, stores, listing, plugin, hashing];

/** Of our own pushes and pulls over several runs, where there are several. */
function history(runs: readonly (readonly Row[])[]): Chart | undefined {
  const data = runs
    .flatMap(mainSize)
    .filter((row) => row.contestant === 'ours' && onLoopback(row))
    .map((row) => ({ ...row, when: `${row.date.slice(5, 16).replace('T', ' ')} ${row.commit.slice(0, 7)}` }));
  const times = new Set(data.map(({ when }) => when));
  return chart(times.size > 1 ? data : [], () => ({
    name: 'history',
    title: 'History',
    text: 'Our own throughput by commit. Machines and loads differ: see the table of runs.',
    spec: lines(data, {
      ...{ x: 'when', xTitle: 'run', kind: 'names', y: 'mibPerSecond', yTitle: 'MiB/s' },
      ...{ range: ['slowest', 'fastest'], facet: 'task', series: 'registry' },
    }),
  }));
}

/** All charts that there are figures for. */
export function chartsOf(newest: readonly Row[], runs: readonly (readonly Row[])[]): Chart[] {
  return [...MAKERS.map((make) => make(newest)), history(runs)].filter((made) => made !== undefined);
}
