/**
 * The real plakar on a directory store, through the Go connector and through ours, in turns:
 * `KLOSET_OCI_PEERS=… npm run bench:plakar -- --rounds 3`. All stores are encrypted, as users have them; the registry
 * is Debian's docker-registry with its storage in memory where that has room.
 */
import { writeFile } from 'node:fs/promises';
import { startToxiproxy } from '../test/support/toxiproxy.ts';
import type { ContestantName } from './plakar/contestants.ts';
import { markdown, type Sample, summarise } from './plakar/report.ts';
import { RESTIC } from './plakar/restic.ts';
import { openStage, type Stage } from './plakar/stage.ts';
import { TASKS, type Task } from './plakar/tasks.ts';
import { storageParent } from './storage.ts';
import { Collector } from './suite/collector.ts';
import { readFlags } from './suite/flags.ts';

const values = readFlags('The real plakar on a directory, the Go connector and ours; restic beside it.', {
  rounds: { type: 'string', default: '3', means: 'runs of each, in turns' },
  trees: { type: 'string', default: '86,531', means: 'MiB of the trees' },
  // It needs minutes for what the others do in seconds.
  'go-rounds': { type: 'string', default: '3', means: 'rounds in which the Go connector takes part' },
  'round-trip': { type: 'string', default: '50', means: 'milliseconds of the slow tasks' },
  contestants: { type: 'string', default: 'directory,go,ours', means: 'stores that are compared' },
  peers: { type: 'string', default: 'restic', means: 'who does the same job beside plakar' },
  tasks: { type: 'string', default: '', means: 'tasks by their names, separated by ";" (all)' },
  json: { type: 'string', means: 'where the results go' },
  markdown: { type: 'string', means: 'where a table of them goes' },
});
const rounds = Number(values.rounds);
const contestants = values.contestants.split(',') as ContestantName[];
const samples: Sample[] = [];
const collector = new Collector(values.json);

function note(task: Task, stage: Stage, contestant: string, value: number): void {
  const { name, unit } = task;
  const situation = {
    ...{ task: `whole: ${name.replace(', slow', '')}`, registry: 'docker-registry', contestant },
    ...{ objects: 1, objectBytes: stage.mebibytes * 1024 * 1024 },
    roundTripMs: isSlow(task) ? Number(values['round-trip']) : 0,
  };
  collector.add(situation, unit === 'bytes per byte' ? 'bytes/byte' : unit, value);
  console.error(`${stage.mebibytes} MiB, ${name}, ${contestant}: ${value.toFixed(2)} ${unit}`);
}

const isSlow = ({ name }: Task) => name.endsWith(', slow');

async function once(task: Task, stage: Stage, round: number): Promise<void> {
  const { restic } = stage;
  if (restic && task.restic) {
    const address = isSlow(task) ? restic.slowAddress : restic.tool.address;
    note(task, stage, RESTIC, await task.restic(stage, restic.tool, address));
  }
  // Every contestant has every place in the order, so that none always follows the same one.
  const order = stage.contestants.map((_, i) => stage.contestants[(i + round) % stage.contestants.length]);
  for (const one of order) {
    if (one === undefined || (one.name === 'directory' && !task.directory)) continue;
    if (one.name === 'go' && round >= Number(values['go-rounds'])) continue;
    const value = await task.run(stage, one);
    const { name, unit } = task;
    samples.push({ task: name, unit, mebibytes: stage.mebibytes, contestant: one.name, round, value });
    note(task, stage, one.name, value);
  }
}

async function report(): Promise<void> {
  const rows = summarise(samples);
  await collector.save();
  if (values.markdown) await writeFile(values.markdown, markdown(rows));
}

// The task under way is done first: its stores and programs would be left behind otherwise.
let ending = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    ending = true;
    process.exitCode = 130;
  });
const toxiproxy = await startToxiproxy();
try {
  for (const mebibytes of values.trees.split(',').map(Number)) {
    if (ending) break;
    const stage = await openStage({
      parent: await storageParent(),
      mebibytes,
      roundTripMs: Number(values['round-trip']),
      contestants,
      restic: values.peers.split(',').includes('restic'),
      toxiproxy,
    });
    try {
      const tasks = TASKS.filter(
        ({ name, trees }) =>
          (values.tasks === '' || values.tasks.split(';').includes(name)) &&
          (trees?.includes(mebibytes) ?? true),
      );
      for (let round = 0; round < rounds; round++) {
        for (const task of tasks.filter(({ repeat }) => repeat || round === 0)) {
          if (ending) break;
          await once(task, stage, round);
          // At once, so that a run that is cut short leaves its figures.
          await report();
        }
      }
    } finally {
      await stage.close();
    }
  }
  console.log(markdown(summarise(samples)));
} finally {
  await toxiproxy.stop();
}
