/** What is measured of each contestant, and in which unit. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startRecorder } from '../../test/support/recorder.ts';
import type { Contestant } from './contestants.ts';
import { firstAnswerMs, pluginOf } from './firstAnswer.ts';
import { watchPluginMemory } from './pluginMemory.ts';
import type { Restic } from './restic.ts';
import { backup, type Stage } from './stage.ts';

const MIB = 1024 * 1024;

export interface Task {
  readonly name: string;
  readonly unit: 's' | 'ms' | 'requests' | 'MiB' | 'bytes per byte';
  /** False for what does not concern a store in a directory. */
  readonly directory: boolean;
  /** Once is enough for what is counted. */
  readonly repeat: boolean;
  /** The sizes of the trees that it is done with, in MiB; all of them where it is not said. */
  readonly trees?: readonly number[];
  run(stage: Stage, one: Contestant): Promise<number>;
  /** The same by restic, at the address of its server; absent where it has nothing like it. */
  restic?(stage: Stage, tool: Restic, address: string): Promise<number>;
}

const SMALL = 86;
const LARGE = 531;

let count = 0;

async function restore(stage: Stage, one: Contestant, address: string, path = ''): Promise<number> {
  const target = join(stage.folder, `restored-${count++}`);
  const store = one.location(stage.kept, address);
  const what = `${stage.snapshots.get(one.name)}${path && `:${path}`}`;
  try {
    return (await one.plakar.run('at', store, 'restore', '-to', target, what)).seconds;
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}

async function newBackup(stage: Stage, one: Contestant, address: string): Promise<number> {
  const name = `new-${count++}`;
  const store = one.location(name, address);
  await one.plakar.create(store, { encrypted: true });
  try {
    return await backup(one, store, stage.root);
  } finally {
    await one.remove(name);
  }
}

/** Whole tasks of restic, on the tree and the stores of the stage. */
const RESTIC = {
  restore: async (stage: Stage, tool: Restic, address: string) => {
    const target = join(stage.folder, `restored-${count++}`);
    try {
      return await tool.restore(stage.kept, address, target);
    } finally {
      await rm(target, { recursive: true, force: true });
    }
  },
  check: (stage: Stage, tool: Restic, address: string) => tool.check(stage.kept, address),
  maintenance: async (stage: Stage, tool: Restic, address: string) => {
    const name = `new-${count++}`;
    await tool.create(name);
    await tool.backup(name, address, stage.root);
    return await tool.forget(name, address);
  },
  backup: async (stage: Stage, tool: Restic, address: string) => {
    const name = `new-${count++}`;
    await tool.create(name);
    return await tool.backup(name, address, stage.root);
  },
};

/** What gives back the room of a snapshot that was removed: the first run marks its packfiles, the second deletes them. */
async function maintenance(stage: Stage, one: Contestant, address: string): Promise<number> {
  const name = `new-${count++}`;
  const store = one.location(name, address);
  await one.plakar.create(store, { encrypted: true });
  try {
    await backup(one, store, stage.root);
    await one.plakar.rm(store, (await one.plakar.ls(store))[0] ?? '');
    const begun = performance.now();
    await one.plakar.maintenance(store);
    return (performance.now() - begun) / 1000;
  } finally {
    await one.remove(name);
  }
}

async function cat(stage: Stage, one: Contestant, address: string): Promise<number> {
  const file = `${stage.snapshots.get(one.name)}:${join(stage.root, stage.tree.catFile)}`;
  return (await one.plakar.run('at', one.location(stage.kept, address), 'cat', file)).seconds;
}

/** Runs something with a proxy in between and returns what it counted. */
async function counted(
  stage: Stage,
  run: (address: string) => Promise<unknown>,
  read: (recorder: Awaited<ReturnType<typeof startRecorder>>) => number,
): Promise<number> {
  const recorder = await startRecorder(stage.registry.address);
  try {
    await run(recorder.address);
    return read(recorder);
  } finally {
    await recorder.close();
  }
}

async function memory(one: Contestant, run: () => Promise<unknown>): Promise<number> {
  const watch = watchPluginMemory(one.plakar.home);
  const outcome = await run().then(
    () => undefined,
    (error) => ({ error }),
  );
  const peak = await watch.stop();
  if (outcome) throw outcome.error;
  return peak / MIB;
}

export const TASKS: readonly Task[] = [
  {
    name: 'restore',
    unit: 's',
    directory: true,
    repeat: true,
    run: (stage, one) => restore(stage, one, stage.registry.address),
    restic: RESTIC.restore,
  },
  {
    name: 'restore, slow',
    unit: 's',
    directory: true,
    repeat: true,
    trees: [SMALL],
    run: (stage, one) => restore(stage, one, stage.slowAddress),
    restic: RESTIC.restore,
  },
  {
    name: 'check',
    unit: 's',
    directory: true,
    repeat: true,
    run: async (stage, one) =>
      (await one.plakar.run('at', one.location(stage.kept, stage.registry.address), 'check')).seconds,
    restic: RESTIC.check,
  },
  {
    name: 'restore of one folder',
    unit: 's',
    directory: true,
    repeat: true,
    trees: [LARGE],
    run: (stage, one) => restore(stage, one, stage.registry.address, join(stage.root, stage.tree.folder)),
  },
  {
    name: 'cat of 16 MiB',
    unit: 's',
    directory: true,
    repeat: true,
    trees: [LARGE],
    run: (stage, one) => cat(stage, one, stage.registry.address),
  },
  {
    name: 'backup',
    unit: 's',
    directory: true,
    repeat: true,
    run: (stage, one) => newBackup(stage, one, stage.registry.address),
    restic: RESTIC.backup,
  },
  {
    name: 'backup, slow',
    unit: 's',
    directory: true,
    repeat: true,
    trees: [SMALL],
    run: (stage, one) => newBackup(stage, one, stage.slowAddress),
    restic: RESTIC.backup,
  },
  {
    name: 'maintenance',
    unit: 's',
    directory: true,
    repeat: true,
    trees: [SMALL],
    run: (stage, one) => maintenance(stage, one, stage.registry.address),
    restic: RESTIC.maintenance,
  },
  {
    name: 'spawn to first answer',
    unit: 'ms',
    directory: false,
    repeat: true,
    trees: [SMALL],
    run: (stage, one) =>
      firstAnswerMs(pluginOf(one.plakar.home), one.location(stage.kept, stage.registry.address)),
  },
  {
    name: 'requests of a restore',
    unit: 'requests',
    directory: false,
    repeat: false,
    trees: [LARGE],
    run: (stage, one) =>
      counted(
        stage,
        (address) => restore(stage, one, address),
        ({ requests }) => requests.length,
      ),
  },
  {
    name: 'bytes fetched by cat of 16 MiB',
    unit: 'bytes per byte',
    directory: false,
    repeat: false,
    trees: [LARGE],
    run: (stage, one) =>
      counted(
        stage,
        (address) => cat(stage, one, address),
        ({ receivedBytes }) => receivedBytes / (16 * MIB),
      ),
  },
  {
    name: 'plugin memory, restore',
    unit: 'MiB',
    directory: false,
    repeat: false,
    trees: [LARGE],
    run: (stage, one) => memory(one, () => restore(stage, one, stage.registry.address)),
  },
  {
    name: 'plugin memory, idle',
    unit: 'MiB',
    directory: false,
    repeat: false,
    trees: [LARGE],
    run: (stage, one) =>
      memory(one, () => one.plakar.run('at', one.location(stage.kept, stage.registry.address), 'ls')),
  },
  {
    name: 'plugin memory, check',
    unit: 'MiB',
    directory: false,
    repeat: false,
    trees: [LARGE],
    run: (stage, one) =>
      memory(one, () => one.plakar.run('at', one.location(stage.kept, stage.registry.address), 'check')),
  },
  {
    name: 'plugin memory, backup',
    unit: 'MiB',
    directory: false,
    repeat: false,
    trees: [LARGE],
    run: (stage, one) => memory(one, () => newBackup(stage, one, stage.registry.address)),
  },
];
