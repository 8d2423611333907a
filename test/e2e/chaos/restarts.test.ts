/** The embedded registry restarts in the middle of a backup: connections break, sessions are gone, the port is closed. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseFaults } from '../../../src/emulator/faults/index.ts';
import { type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { connectorPackage } from '../../support/connectors.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar, type Plakar } from '../../support/plakar.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const peers = requirePeers(['plakar']);

/** In the middle of a packfile, of its manifest, and of a chunk behind the first. */
const CASES = [
  ['within a packfile', [], 'restart@upload-single+upload-commit:body=some,nth=2,after=50%,down=2s'],
  ['at its manifest', [], 'restart@manifest-write:nth=2,down=2s'],
  [
    'within a chunk',
    ['upload_mode=chunked', 'chunk_size=1MiB'],
    'restart@upload-chunk:part=later,nth=2,after=50%,down=2s',
  ],
] as const;

describe.skipIf(!peers.found)('a registry that restarts in mid-backup', () => {
  let folder: Scratch;
  let registry: RunningRegistry;
  let plakar: Plakar;
  let tree: string;

  beforeAll(async () => {
    folder = await scratch('e2e-restarts');
    tree = join(folder.path, 'tree');
    await writeSmallTree(tree);
    registry = await startRegistry({ directory: join(folder.path, 'registry') });
    plakar = await openPlakar({ connector: connectorPackage('ours') });
  });

  afterAll(async () => {
    await plakar?.close();
    await registry?.close();
    await folder?.remove();
  });

  test.each(CASES)('%s is waited for, and nothing is lost', async (place, options, fault) => {
    const name = place.replaceAll(' ', '-');
    const store = `@${name}`;
    await plakar.run('store', 'add', name, `oci://${registry.address}/restarts/${name}`, ...options);
    await plakar.create(store);
    const plan = parseFaults([fault], { seed: 1 });
    registry.setFaults(plan);
    try {
      await plakar.backup(store, tree);
      expect(plan.counts()).toMatchObject([{ hits: 1 }]);
    } finally {
      registry.setFaults(undefined);
    }
    await plakar.check(store);
    await plakar.restore(store, join(folder.path, `restored-${name}`));
    expect(await compareTrees(tree, join(folder.path, `restored-${name}`))).toEqual([]);
    expect(registry.openSessions()).toEqual([]);
  });
});
