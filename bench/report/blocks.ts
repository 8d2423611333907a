/** The parts of pages that are made from a recording. */
import { resultsTable } from '../suite/markdown.ts';
import type { SuiteFile } from '../suite/schema.ts';
import { markdownTable } from '../suite/table.ts';
import { ratioTable } from './ratios.ts';
import { isPlain, type Row } from './rows.ts';
import { mainSize, onLoopback } from './transferCharts.ts';

const MIB = 1024 * 1024;
const isTransfer = ({ task }: Row) => task === 'push' || task === 'pull';
const isWhole = ({ task }: Row) => task.startsWith('whole: ');

/** Each by the name that a page gives it. */
export function blocksOf(file: SuiteFile, rows: readonly Row[]): ReadonlyMap<string, string> {
  const main = mainSize(rows);
  const size = main[0]?.objectBytes;
  const ofMainSize = (row: Row) => isTransfer(row) && row.objectBytes === size;
  const table = (name: string, chosen: readonly Row[]) =>
    [name, chosen.length > 0 ? resultsTable(chosen) : 'This recording has none of these figures.'] as const;
  const short = rows.filter((row) => (ofMainSize(row) && row.concurrency === undefined) || isShortWhole(row));
  return new Map([
    ['machine', machineText(file)],
    ['in-short', `${loadText(file)}\n\n${markdownTable(ratioTable(short))}`],
    ['ratios', markdownTable(ratioTable(rows))],
    table('transfers', main.filter(onLoopback)),
    table(
      'links',
      rows.filter((row) => ofMainSize(row) && row.concurrency === undefined && !isLoopback(row)),
    ),
    table(
      'sizes',
      rows.filter((row) => isTransfer(row) && isPlain(row) && row.objectBytes !== size),
    ),
    table(
      'concurrency',
      rows.filter((row) => isTransfer(row) && row.concurrency !== undefined),
    ),
    table('whole', rows.filter(isWhole)),
    table(
      'stores',
      rows.filter(({ task }) => task.endsWith(', one object')),
    ),
    table(
      'list',
      rows.filter(({ task }) => task === 'list'),
    ),
    table(
      'micro',
      rows.filter((row) => row.registry === undefined && !isWhole(row)),
    ),
  ]);
}

const isShortWhole = ({ task }: Row) => /^whole: (backup|restore)$/.test(task);
const isLoopback = ({ roundTripMs = 0, bandwidthBytesPerSecond }: Row) =>
  roundTripMs === 0 && bandwidthBytesPerSecond === undefined;

function machineText(file: SuiteFile): string {
  const { machine, versions, git, date } = file;
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const commit = `${git.commit.slice(0, 8)}${git.dirty ? ' with changes' : ''}`;
  const memory = `${Math.round(machine.memoryBytes / 1024 / MIB)} GiB`;
  const storage = machine.storage === 'memory' ? 'in memory' : 'on a disk';
  return [
    `Recorded on ${date.slice(0, 10)} at commit ${commit}: ${machine.cpu}, ${machine.cores} processors, ${memory};`,
    `registries store ${storage}. ${loadText(file)}`,
    `${programs.join(', ')}.`,
  ].join('\n');
}

/** How far a recording can be trusted. */
function loadText({ machine, results }: SuiteFile): string {
  const load = machine.loadAverage.toFixed(1);
  const fewest = Math.min(...results.map(({ samples }) => samples.length));
  const runs = fewest === 1 ? 'Some figures are of a single run.' : `Each figure has ${fewest} runs or more.`;
  return machine.loadAverage > machine.cores
    ? `**Others used the machine meanwhile (a load of ${load} as it began): this says little.** ${runs}`
    : `The load was ${load} as it began. ${runs}`;
}
