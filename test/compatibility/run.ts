/**
 * Tries plakar's commands on every registry: `KLOSET_OCI_PEERS=… npm run compatibility`. `--only WORDS` takes the rows whose
 * name contains them; `--at-once N` tries so many at a time; `--write` writes the table into docs/compatibility.md. Fails where a step fails, or where a whole
 * run does not give the table that is there.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import PQueue from 'p-queue';
import { scratch } from '../support/scratch.ts';
import { live, STEPS, type StepName } from './life.ts';
import { type PlaceEntry, places } from './places.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    'at-once': { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
  },
});
const PAGE = new URL('../../docs/compatibility.md', import.meta.url);
const START = '<!-- written by npm run compatibility -- --write -->\n\n';
/** A table's rule has three hyphens at least, and formatters of the page insist on it. */
const RULE_LEAST = 3;

interface Row {
  readonly entry: PlaceEntry;
  readonly done: readonly StepName[];
  readonly failure?: string;
}

async function tryPlace(entry: PlaceEntry): Promise<Row> {
  const done: StepName[] = [];
  const home = await scratch('compatibility');
  try {
    const place = await entry.start();
    try {
      await live(place, home, (step) => done.push(step));
      return { entry, done };
    } finally {
      await place.stop();
    }
  } catch (error) {
    return { entry, done, failure: error instanceof Error ? error.message : String(error) };
  } finally {
    await home.remove();
  }
}

function table(rows: readonly Row[], kind: PlaceEntry['kind']): string {
  const shown = rows.filter(({ entry }) => entry.kind === kind);
  const width = Math.max(8, ...shown.map(({ entry }) => entry.name.length));
  const cellWidths = STEPS.map((step) => Math.max(RULE_LEAST, step.length));
  const line = (name: string, cells: readonly string[]) =>
    `| ${name.padEnd(width)} | ${cells.map((cell, at) => cell.padEnd(cellWidths[at] ?? 0)).join(' | ')} |\n`;
  const rule = line(
    '-'.repeat(width),
    cellWidths.map((cellWidth) => '-'.repeat(cellWidth)),
  );
  const body = shown.map(({ entry, done }) =>
    line(
      entry.name,
      STEPS.map((step) => (done.includes(step) ? 'yes' : 'NO')),
    ),
  );
  return line('registry', STEPS) + rule + body.join('');
}

async function tell(entry: PlaceEntry): Promise<Row> {
  const startedMs = performance.now();
  const row = await tryPlace(entry);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const verdict = row.failure === undefined ? 'ok    ' : 'FAILED';
  console.log(`${verdict} ${entry.name}: ${row.done.length} of ${STEPS.length} steps in ${seconds} s`);
  if (row.failure !== undefined) console.log(row.failure.split('\n').slice(-12).join('\n'));
  return row;
}

// Half of a row is waiting, 5 s of it for plakar's cache process to end.
const queue = new PQueue({ concurrency: Number(values['at-once']) });
const entries = places().filter(({ name }) => name.includes(values.only));
const rows = await Promise.all(entries.map((entry) => queue.add(() => tell(entry))));

const page = await readFile(PAGE, 'utf8');
const head = page.slice(0, page.indexOf(START) + START.length);
const text = `${head}## Registries that the embedded one plays\n\n${table(rows, 'played')}\n## Real registries\n\n${table(rows, 'real')}`;
let failed = rows.filter(({ failure }) => failure !== undefined).length;
const passed = rows.length - failed;
if (values.write) await writeFile(PAGE, text);
else if (values.only === '' && text !== page) {
  console.log('FAILED docs/compatibility.md is not what came out: npm run compatibility -- --write');
  failed++;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
