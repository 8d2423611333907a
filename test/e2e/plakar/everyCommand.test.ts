/** Every command of plakar that touches a store, on every registry, through the package as users install it. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectorPackage } from '../../support/connectors.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar, type Plakar } from '../../support/plakar.ts';
import { REGISTRIES, type RegistryName } from '../../support/realRegistries.ts';
import { liveTags, openUploads } from '../../support/registryState.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const peers = requirePeers(['plakar']);

describe.skipIf(!peers.found)('a life of a store', () => {
  let folder: Scratch;
  let plakar: Plakar;

  beforeAll(async () => {
    folder = await scratch('e2e-commands');
    plakar = await openPlakar({ connector: connectorPackage('ours') });
  });

  afterAll(async () => {
    await plakar?.close();
    await folder?.remove();
  });

  for (const name of Object.keys(REGISTRIES) as RegistryName[]) {
    const needed = requirePeers(REGISTRIES[name].peers);
    test.skipIf(!needed.found)(`on ${name}`, async () => {
      const registry = await REGISTRIES[name].start();
      const store = `oci://${registry.address}/backup/life`;
      const tree = join(folder.path, name, 'tree');
      const before = join(folder.path, name, 'before');
      const restored = (label: string) => join(folder.path, name, `restored-${label}`);
      try {
        await writeSmallTree(tree);
        await cp(tree, before, { recursive: true });
        // One of them with a passphrase, as users have it.
        await plakar.create(store, { encrypted: name === 'docker-registry' });
        await plakar.backup(store, tree);
        const [first = ''] = await plakar.ls(store);
        await plakar.check(store);
        const note = join(tree, 'notes/0/note 0 ü.txt');
        const shown = await plakar.run('at', store, 'cat', `${first}:${note}`);
        expect(shown.stdout).toBe(await readFile(note, 'utf8'));
        await plakar.restore(store, restored('first'), first);
        expect(await compareTrees(before, restored('first'))).toEqual([]);

        await writeFile(note, 'changed\n');
        await rm(join(tree, 'video/clip.bin'));
        await writeFile(join(tree, 'video/new.bin'), Buffer.alloc(2_000_000, 'new'));
        await plakar.backup(store, tree);
        const [second = '', ...others] = await plakar.ls(store);
        expect(others).toEqual([first]);
        const diff = await plakar.run('at', store, 'diff', `${first}:${note}`, `${second}:${note}`);
        expect(diff.stdout).toContain('+changed');

        await writeSmallTree(join(folder.path, name, 'other'), 7000);
        await plakar.backup(store, join(folder.path, name, 'other'));
        const [third = ''] = await plakar.ls(store);
        const packfiles = await liveTags(registry.address, 'backup/life', 'packfiles');
        await plakar.rm(store, third);
        await plakar.rm(store, first);
        await plakar.maintenance(store);
        expect(await plakar.ls(store)).toEqual([second]);
        const kept = await liveTags(registry.address, 'backup/life', 'packfiles');
        expect(packfiles.filter((tag) => !kept.includes(tag))).not.toEqual([]);
        await plakar.check(store);
        await plakar.restore(store, restored('second'));
        expect(await compareTrees(tree, restored('second'))).toEqual([]);

        expect(await liveTags(registry.address, 'backup/life', 'locks')).toEqual([]);
        expect(await openUploads(registry)).toEqual([]);
      } finally {
        await registry.stop();
      }
    });
  }
});
