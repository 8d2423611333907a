/** The other way: the Go `oci` connector wrote the store, and plakar restores from the directory that we pulled. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { klosetOci, summaryOf } from '../support/cli.ts';
import { peer, requirePeers } from '../support/peers.ts';
import { openPlakar, type Plakar } from '../support/plakar.ts';
import { type RealRegistry, startDockerRegistry } from '../support/realRegistries.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { compareTrees, writeTree } from '../support/seededTree.ts';

const peers = requirePeers(['plakar', 'go-connector', 'docker-registry']);

describe.skipIf(!peers.found)('a store that the Go connector wrote', () => {
  let folder: Scratch;
  let plakar: Plakar;
  let registry: RealRegistry;
  let tree: string;
  let location: string;

  beforeAll(async () => {
    folder = await scratch('e2e-pull');
    tree = join(folder.path, 'tree');
    await writeTree(tree);
    registry = await startDockerRegistry();
    location = `oci://${registry.address}/backup/theirs`;
    plakar = await openPlakar({ connector: peer('go-connector') });
    await plakar.create(location);
    await plakar.backup(location, tree);
  });

  afterAll(async () => {
    await plakar?.close();
    await registry?.stop();
    await folder?.remove();
  });

  test('is pulled into a directory from which plakar restores every byte', async () => {
    const store = join(folder.path, 'pulled');
    const pulled = summaryOf((await klosetOci(['pull', location, store, '--json'])).stdout);
    // Plakar compresses the texts and keeps equal files once, so the store is smaller than the tree.
    expect(pulled.bytes).toBeGreaterThan(190 * 1024 * 1024);
    expect(await plakar.ls(store)).toHaveLength(1);
    await plakar.check(store);
    const restored = join(folder.path, 'restored');
    await plakar.restore(store, restored);
    expect(await compareTrees(tree, restored)).toEqual([]);
  });

  test('is not replaced by create', async () => {
    const config = join(tree, 'notes', 'empty');
    await expect(klosetOci(['create', location, '--config', config, '--json'])).rejects.toThrow(
      'STORE_EXISTS',
    );
    expect(await plakar.ls(location)).toHaveLength(1);
  });

  test('is verified, every digest read', async () => {
    await klosetOci(['verify', location, '--deep', '--json']);
  });
});
