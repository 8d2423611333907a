/**
 * The engine beside other programs, on registries of all kinds: `npm run bench -- --suite engine --tasks push,pull`.
 * Tasks: push, pull, small, sizes, concurrency, modes, list, scaling.
 */
import { parseArgs } from 'node:util';
import { REGISTRIES, type RegistryName } from '../test/support/realRegistries.ts';
import { Collector } from './suite/collector.ts';
import { type Choice, TRANSFER_TASKS } from './suite/engine/cells.ts';
import { measureListing } from './suite/engine/listing.ts';
import { measureScaling } from './suite/engine/scaling.ts';
import { Stage } from './suite/engine/stage.ts';
import { measureCell, type Run } from './suite/engine/transfers.ts';
import { resultsTable } from './suite/markdown.ts';

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: [...Object.keys(TRANSFER_TASKS), 'list', 'scaling'].join(',') },
    registries: { type: 'string', default: Object.keys(REGISTRIES).join(',') },
    rounds: { type: 'string', default: '5' },
    'round-trips': { type: 'string', default: '0' },
    /** MiB per second and connection; 0 for no limit. */
    bandwidths: { type: 'string', default: '0' },
    concurrencies: { type: 'string', default: '1,2,4,8,16,32' },
    /** Objects that the stores of `list` and `scaling` hold. */
    stores: { type: 'string' },
    /** Objects that each run of `scaling` puts, gets and deletes. */
    operations: { type: 'string', default: '200' },
    gibibyte: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

const numbers = (text: string) => text.split(',').map(Number);
const registries = values.registries.split(',').map((name) => {
  if (!(name in REGISTRIES)) throw new Error(`unknown registry ${name}`);
  return name as RegistryName;
});
const choice: Choice = {
  registries,
  roundTrips: numbers(values['round-trips']),
  bandwidths: numbers(values.bandwidths),
  concurrencies: numbers(values.concurrencies),
  quick: values.quick,
  gibibyte: values.gibibyte,
};
const stores = numbers(values.stores ?? (values.quick ? '1000' : '1000,10000,100000'));
/** Where the registry takes longer for each object the more it has, or its storage takes a folder for each. */
const MOST_STORED_ELSEWHERE = 10_000;

async function measure(task: string, run: Run): Promise<void> {
  const cells = TRANSFER_TASKS[task];
  if (cells) {
    for (const cell of cells(choice)) await measureCell(cell, run);
    return;
  }
  if (task === 'list') {
    const links = choice.roundTrips.map((roundTripMs) => ({ roundTripMs }));
    for (const count of stores) await measureListing(count, links, run);
    return;
  }
  if (task !== 'scaling') throw new Error(`unknown task ${task}`);
  for (const name of registries) {
    const sizes = stores.filter((count) => name === 'embedded' || count <= MOST_STORED_ELSEWHERE);
    await measureScaling(name, sizes, Number(values.operations), run);
  }
}

const stage = await Stage.open();
// What commands keep between runs is not kept where the user of this machine keeps it.
process.env.KLOSET_OCI_STATE_DIR = await stage.freshFolder();
const collector = new Collector(values.json);
const log = (line: string) => console.error(line);
try {
  for (const task of values.tasks.split(','))
    await measure(task, { rounds: values.quick ? 1 : Number(values.rounds), stage, collector, log });
  await collector.save();
  console.log(resultsTable(collector.results()));
} finally {
  await stage.close();
}
