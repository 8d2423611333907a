/** A store that we pushed is read by somebody else's program: plakar with the Go `oci` connector. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { klosetOci, summaryOf } from '../support/cli.ts';
import { peer, requirePeers } from '../support/peers.ts';
import { openPlakar, type Plakar } from '../support/plakar.ts';
import { REGISTRIES, type RegistryName } from '../support/realRegistries.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { compareTrees, type TreeSummary, writeTree } from '../support/seededTree.ts';

const peers = requirePeers(['plakar', 'go-connector']);

describe.skipIf(!peers.found)('a directory store of plakar, pushed', () => {
  let folder: Scratch;
  let plakar: Plakar;
  let tree: string;
  let store: string;
  let written: TreeSummary;
  let snapshots: string[];

  beforeAll(async () => {
    folder = await scratch('e2e-push');
    tree = join(folder.path, 'tree');
    store = join(folder.path, 'store');
    written = await writeTree(tree);
    plakar = await openPlakar({ connector: peer('go-connector') });
    await plakar.create(store);
    await plakar.backup(store, tree);
    snapshots = await plakar.ls(store);
  });

  afterAll(async () => {
    await plakar?.close();
    await folder?.remove();
  });

  test('the tree is as large as promised', () => {
    expect(written.bytes).toBeGreaterThan(200 * 1024 * 1024);
    expect(written.files).toBeGreaterThan(300);
    expect(snapshots).toHaveLength(1);
  });

  for (const name of Object.keys(REGISTRIES) as RegistryName[]) {
    const needed = requirePeers(REGISTRIES[name].peers);
    test.skipIf(!needed.found)(`comes back from ${name}, byte for byte`, async () => {
      const registry = await REGISTRIES[name].start();
      try {
        const location = `oci://${registry.address}/backup/ours`;
        const pushed = await klosetOci(['push', store, location, '--json']);
        expect(summaryOf(pushed.stdout)).toMatchObject({ event: 'summary', skipped: 0, retries: 0 });
        expect(await plakar.ls(location)).toEqual(snapshots);
        await plakar.check(location);
        const restored = join(folder.path, `restored-${name}`);
        await plakar.restore(location, restored);
        expect(await compareTrees(tree, restored)).toEqual([]);

        const again = summaryOf((await klosetOci(['push', store, location, '--json'])).stdout);
        expect(again.skipped).toBe(summaryOf(pushed.stdout).objects);
        await klosetOci(['verify', location, '--deep', '--json']);
      } finally {
        await registry.stop();
      }
    });
  }
});
