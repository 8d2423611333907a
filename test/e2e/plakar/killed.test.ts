/**
 * SIGKILL of plakar or of the plugin at random moments of a backup: no state in the registry names a packfile that is
 * not there. 100 backups with KLOSET_OCI_LONG=1.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { connectorPackage } from '../../support/connectors.ts';
import { backUpKilled } from '../../support/killedBackups.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar, type Plakar } from '../../support/plakar.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const LONG = process.env.KLOSET_OCI_LONG === '1';
const RUNS = LONG ? 100 : 6;
const peers = requirePeers(['plakar']);

describe.skipIf(!peers.found)('a backup that is killed', () => {
  let folder: Scratch;
  let registry: RunningRegistry;
  let plakar: Plakar;
  beforeAll(async () => {
    folder = await scratch('e2e-killed');
    registry = await startRegistry();
    plakar = await openPlakar({ connector: connectorPackage('ours') });
  });
  afterAll(async () => {
    await plakar?.close();
    await registry?.close();
    await folder?.remove();
  });

  test(`leaves no state without its packfiles, ${RUNS} times`, {
    timeout: LONG ? 1_800_000 : 180_000,
  }, async () => {
    const store = `oci://${registry.address}/killed/backups`;
    const tree = join(folder.path, 'tree');
    await plakar.create(store);
    const { ended, states, missing } = await backUpKilled({
      plakar,
      registry,
      repository: 'killed/backups',
      tree,
      runs: RUNS,
      seed: 7,
    });
    expect(missing).toEqual([]);
    expect(states).toBeGreaterThan(0);
    expect(ended.plakar + ended.plugin).toBe(RUNS);
    console.log(
      'backups that ended by a kill of the one or the other:',
      ended,
      `${states} states, each with all its packfiles`,
    );

    // The store is none the worse for it, neither for the files of the last one nor for others, nor seen from elsewhere.
    const elsewhere = await openPlakar({ connector: connectorPackage('ours') });
    try {
      for (const seed of [undefined, 99]) {
        if (seed !== undefined) await writeSmallTree(tree, seed);
        await plakar.backup(store, tree);
        const [snapshot] = await elsewhere.ls(store);
        const target = join(folder.path, `restored-${seed}`);
        await elsewhere.restore(store, target, snapshot);
        expect(await compareTrees(tree, target)).toEqual([]);
      }
      await elsewhere.check(store);
    } finally {
      await elsewhere.close();
    }
  });
});
