/**
 * The engine beside other programs, on registries of all kinds: `npm run bench -- --suite engine --tasks push,pull`.
 * Tasks: push, pull, small, sizes, concurrency, modes, list, scaling.
 */

import { hasPeer } from '../test/support/peers.ts';
import { REGISTRIES, type RegistryName } from '../test/support/realRegistries.ts';
import { Collector } from './suite/collector.ts';
import { type Choice, TRANSFER_TASKS } from './suite/engine/cells.ts';
import { contestant } from './suite/engine/contestants.ts';
import { measureListing } from './suite/engine/listing.ts';
import { measureScaling } from './suite/engine/scaling.ts';
import { Stage } from './suite/engine/stage.ts';
import { measureCell, type Run } from './suite/engine/transfers.ts';
import { readFlags } from './suite/flags.ts';
import { resultsTable } from './suite/markdown.ts';

const TASKS = [...Object.keys(TRANSFER_TASKS), 'list', 'scaling'];
const values = readFlags('The engine beside other programs: pushes, pulls, lists and stores that grow.', {
  tasks: { type: 'string', default: TASKS.join(','), means: 'what is measured' },
  registries: { type: 'string', default: Object.keys(REGISTRIES).join(','), means: 'where' },
  peers: { type: 'string', default: 'oras,crane,regctl,skopeo', means: 'beside whom ours pushes and pulls' },
  rounds: { type: 'string', means: 'runs of each, in turns (5)' },
  'round-trips': { type: 'string', default: '0', means: 'milliseconds that toxiproxy adds' },
  bandwidths: { type: 'string', default: '0', means: 'MiB per second and connection; 0 for no limit' },
  concurrencies: { type: 'string', default: '1,2,4,8,16,32', means: 'of the task concurrency' },
  stores: { type: 'string', means: 'objects in the stores of list and scaling (1000,10000,100000)' },
  operations: { type: 'string', default: '200', means: 'objects that a run of scaling puts, gets, deletes' },
  sizes: { type: 'string', default: '0.0625,1,20,64', means: 'MiB of the objects of the task sizes' },
  gibibyte: { type: 'boolean', default: false, means: 'one object of 1 GiB too, in the task sizes' },
  quick: { type: 'boolean', default: false, means: 'one round, a tenth of the objects' },
  json: { type: 'string', means: 'where the results go' },
});

const numbers = (text: string) => text.split(',').map(Number);
const log = (line: string) => console.error(line);

/** What is not on this machine is left out, and said to be: the rest is worth measuring. */
function present<T>(all: readonly T[], needs: (one: T) => readonly string[]): T[] {
  return all.filter((one) => {
    const missing = needs(one).filter((name) => !hasPeer(name));
    if (missing.length > 0) log(`skipped: ${one}, since ${missing.join(', ')} is not on this machine`);
    return missing.length === 0;
  });
}

const registryNames = values.registries.split(',').map((name) => {
  if (!(name in REGISTRIES)) throw new Error(`unknown registry ${name}`);
  return name as RegistryName;
});
const registries = present(registryNames, (name) => REGISTRIES[name].peers);
const peers = present(values.peers.split(',').filter(Boolean), (name) => [contestant(name).program ?? name]);
const isFree = (link: string) => Number(link) === 0;
const links = (all: string) => present(all.split(','), (one) => (isFree(one) ? [] : ['toxiproxy-server']));
const choice: Choice = {
  registries,
  peers,
  roundTrips: links(values['round-trips']).map(Number),
  bandwidths: links(values.bandwidths).map(Number),
  concurrencies: numbers(values.concurrencies),
  quick: values.quick,
  sizes: [...numbers(values.sizes), ...(values.gibibyte ? [1024] : [])],
};
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
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
try {
  for (const task of values.tasks.split(',')) await measure(task, { rounds, stage, collector, log });
  await collector.save();
  console.log(resultsTable(collector.results()));
} finally {
  await stage.close();
}
