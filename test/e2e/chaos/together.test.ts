/** Two who write to one place at once, on a registry that fails now and then: neither harms the other. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { openOciStore } from '../../../src/store/openStore.ts';
import { connectorPackage } from '../../support/connectors.ts';
import { flakyPlan } from '../../support/flakyPlan.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar } from '../../support/plakar.ts';
import { start } from '../../support/processes.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { seededBytes } from '../../support/seededBytes.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const MIB = 1024 * 1024;
const PUSH = fileURLToPath(new URL('../../support/pushChild.ts', import.meta.url));
const OBJECTS = 12;
/**
 * At fixed places, so that something is struck in each run. The answer to the start of a session is not lost: nobody
 * could close such a session.
 */
const MILD = [
  '503:every=13',
  'reset:at=50%,every=17',
  'reset@blob+manifest+upload-single+upload-chunk+upload-commit:handled,every=11',
];

let folder: Scratch;
let registry: RunningRegistry;
beforeEach(async () => {
  folder = await scratch('e2e-together');
  registry = await startRegistry({ directory: join(folder.path, 'registry') });
});
afterEach(async () => {
  await registry.close();
  await folder.remove();
});

/** Runs something while the registry fails now and then, and sees to it that it did. */
async function troubled(run: () => Promise<void>): Promise<void> {
  const plan = flakyPlan(5, MILD);
  registry.setFaults(plan);
  try {
    await run();
  } finally {
    registry.setFaults(undefined);
  }
  console.log('struck', plan.struck());
  expect(plan.struck().errors).toBeGreaterThan(0);
  expect(plan.struck().resets).toBeGreaterThan(0);
}

test('two pushes of one source to one place: every object is there and right, and nothing is left over', async () => {
  const source = join(folder.path, 'source');
  const journals = join(folder.path, 'journals');
  await mkdir(source);
  // One file above 64 MiB, which goes in chunks and has a session that both journals are about.
  for (let i = 0; i < OBJECTS; i++)
    await writeFile(join(source, `${i}.bin`), seededBytes(i, i === 0 ? 80 * MIB : MIB + i));
  const location = `oci://${registry.address}/together/push`;
  await troubled(async () => {
    const both = [0, 1].map(() =>
      start(process.execPath, [PUSH, source, location, journals, String(4 * MIB)]),
    );
    for (const { exited, output } of both) {
      const ended = await exited;
      expect({ ...ended, output: output() }).toMatchObject({
        code: 0,
        output: expect.stringContaining('"bytes"'),
      });
    }
  });
  const { store, close } = openOciStore(location);
  try {
    let found = 0;
    for await (const mac of store.list('packfile')) {
      expect(await store.verify({ type: 'packfile', mac }, { deep: true })).toMatchObject({ ok: true });
      found++;
    }
    expect(found).toBe(OBJECTS);
  } finally {
    await close();
  }
  expect(await readdir(journals)).toEqual([]);
  expect(registry.openSessions()).toEqual([]);
});

const peers = requirePeers(['plakar']);
describe.skipIf(!peers.found)('two backups at once', () => {
  test('of different trees into one store: both are whole', async () => {
    // A home for each: in one, two that start at once may find plakar's own database locked.
    const connector = connectorPackage('ours');
    const [plakar, neighbour] = [await openPlakar({ connector }), await openPlakar({ connector })];
    try {
      const store = `oci://${registry.address}/together/backups`;
      const trees = ['one', 'other'].map((name) => join(folder.path, name));
      for (const [seed, tree] of trees.entries()) await writeSmallTree(tree, 1000 * seed);
      await plakar.create(store);
      await troubled(async () => {
        const both = trees.map((tree, at) => [plakar, neighbour][at]?.start('at', store, 'backup', tree));
        for (const backup of both) expect((await backup?.exited)?.code, backup?.output()).toBe(0);
      });
      await plakar.check(store);
      const snapshots = await plakar.ls(store);
      expect(snapshots).toHaveLength(2);
      const differences = await Promise.all(
        snapshots.map(async (snapshot) => {
          const target = join(folder.path, `restored-${snapshot}`);
          await plakar.restore(store, target, snapshot);
          return Promise.all(trees.map(async (tree) => (await compareTrees(tree, target)).length));
        }),
      );
      // Each tree is one of the two snapshots.
      expect(differences.map((found) => found.indexOf(0)).sort()).toEqual([0, 1]);
    } finally {
      await Promise.all([plakar.close(), neighbour.close()]);
    }
  });
});
