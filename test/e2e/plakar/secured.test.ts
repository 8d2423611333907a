/** A life of a store of plakar on every registry with TLS, logins or limits. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectorPackage } from '../../support/connectors.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar } from '../../support/plakar.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { SECURED_REGISTRIES, type SecuredEntry, type SecuredName } from '../../support/securedRegistries.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const peers = requirePeers(['plakar']);

describe.skipIf(!peers.found)('a store of plakar', () => {
  let folder: Scratch;
  let tree: string;
  let other: string;

  beforeAll(async () => {
    folder = await scratch('e2e-secured-plakar');
    [tree, other] = [join(folder.path, 'tree'), join(folder.path, 'other')];
    await writeSmallTree(tree);
    await writeSmallTree(other, 7000);
  });

  afterAll(() => folder?.remove());

  for (const name of Object.keys(SECURED_REGISTRIES) as SecuredName[]) {
    const entry: SecuredEntry = SECURED_REGISTRIES[name];
    const needed = requirePeers(entry.peers);
    test.skipIf(!needed.found)(`on ${name}`, async () => {
      const registry = await entry.start();
      const plakar = await openPlakar({ connector: connectorPackage('ours'), env: registry.env });
      try {
        const options = Object.entries(registry.options).map(([key, value]) => `${key}=${value}`);
        await plakar.run('store', 'add', 'secured', registry.location('backup/life'), ...options);
        await plakar.create('@secured');
        await plakar.backup('@secured', tree);
        const [first = ''] = await plakar.ls('@secured');
        await plakar.backup('@secured', other);
        const [second = ''] = await plakar.ls('@secured');
        expect(second).not.toBe(first);
        await plakar.check('@secured');
        const restored = join(folder.path, `restored from ${name.replace(/\W+/g, ' ')}`);
        await plakar.restore('@secured', restored, first);
        expect(await compareTrees(tree, restored)).toEqual([]);
        await plakar.rm('@secured', first);
        expect(await plakar.ls('@secured')).toEqual([second]);
        await plakar.maintenance('@secured');
        await plakar.check('@secured');
      } finally {
        await plakar.close();
        await registry.stop();
      }
    });
  }
});
