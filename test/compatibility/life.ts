/** The life of a store under the real plakar, step by step. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connectorPackage } from '../support/connectors.ts';
import { openPlakar } from '../support/plakar.ts';
import type { Scratch } from '../support/scratch.ts';
import { compareTrees, writeSmallTree } from '../support/seededTree.ts';
import type { Place } from './places.ts';

export const STEPS = [
  'create',
  'backup',
  'ls',
  'check',
  'restore',
  'second backup',
  'rm',
  'maintenance',
  'backup after it',
  'restore after it',
] as const;
export type StepName = (typeof STEPS)[number];

const STORE = '@compatibility';

/** Runs all steps; the first that fails throws, with the steps that were done before it. */
export async function live(place: Place, home: Scratch, onStep: (step: StepName) => void): Promise<void> {
  const plakar = await openPlakar({ connector: connectorPackage('ours'), env: place.env });
  const tree = join(home.path, 'tree');
  const other = join(home.path, 'other');
  let restores = 0;
  const restoredSame = async (expected: string, snapshot?: string) => {
    const target = join(home.path, `restored-${++restores}`);
    await mkdir(target, { recursive: true });
    await plakar.restore(STORE, target, snapshot);
    const differences = await compareTrees(expected, target);
    if (differences.length > 0) throw new Error(`the trees differ: ${differences.slice(0, 3).join('; ')}`);
  };
  const snapshots = async (count: number) => {
    const found = await plakar.ls(STORE);
    if (found.length !== count) throw new Error(`ls shows ${found.length} snapshots in place of ${count}`);
    return found;
  };
  const steps: Record<StepName, () => Promise<unknown>> = {
    create: () => plakar.create(STORE),
    backup: () => plakar.backup(STORE, tree),
    ls: () => snapshots(1),
    check: () => plakar.check(STORE),
    restore: () => restoredSame(tree),
    'second backup': async () => {
      const [first] = await snapshots(1);
      await plakar.backup(STORE, other);
      await snapshots(2);
      await restoredSame(tree, first);
    },
    rm: async () => {
      const [second, first = ''] = await snapshots(2);
      await plakar.rm(STORE, first);
      const [left] = await snapshots(1);
      if (left !== second) throw new Error(`rm left ${left} in place of ${second}`);
    },
    maintenance: async () => {
      await plakar.maintenance(STORE);
      await plakar.check(STORE);
    },
    // Its packfiles were deleted, and some of them come again under the same names.
    'backup after it': async () => {
      await plakar.backup(STORE, tree);
      await snapshots(2);
    },
    'restore after it': async () => {
      await restoredSame(tree);
      await plakar.check(STORE);
    },
  };
  try {
    await writeSmallTree(tree);
    await writeSmallTree(other, 77);
    const options = Object.entries(place.options).map(([name, value]) => `${name}=${value}`);
    await plakar.run('store', 'add', STORE.slice(1), place.location, ...options);
    for (const step of STEPS) {
      await steps[step]();
      onStep(step);
    }
  } finally {
    await plakar.close();
  }
}
