/** One store, two connectors: what the Go `oci` connector wrote is read, extended and maintained by ours, and back. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOciStore } from '../../../src/store/openStore.ts';
import { type ConnectorName, connectorPackage } from '../../support/connectors.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar, type Plakar } from '../../support/plakar.ts';
import { REGISTRIES, type RegistryName } from '../../support/realRegistries.ts';
import { liveTags } from '../../support/registryState.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const peers = requirePeers(['plakar', 'go-connector']);
const REPOSITORY = 'backup/shared';

// Not on distribution: there, the Go connector's uploads of the same two bytes by two objects at once fail at times.
const WHERE: readonly RegistryName[] = ['embedded', 'zot'];

describe.skipIf(!peers.found)('a store that was begun', () => {
  let folder: Scratch;
  const hosts = {} as Record<ConnectorName, Plakar>;

  beforeAll(async () => {
    folder = await scratch('e2e-both');
    for (const name of ['ours', 'go'] as const)
      hosts[name] = await openPlakar({ connector: connectorPackage(name) });
  });

  afterAll(async () => {
    for (const plakar of Object.values(hosts)) await plakar.close();
    await folder?.remove();
  });

  /**
   * plakar deletes its lock from a thread that its end does not wait for. The Go connector leaves it now and then, and
   * maintenance would have to wait ten minutes.
   */
  async function clearLocks(location: string): Promise<void> {
    const open = openOciStore(location);
    try {
      for await (const mac of open.store.list('lock')) await open.store.delete({ type: 'lock', mac });
    } finally {
      await open.close();
    }
  }

  for (const name of WHERE) {
    const needed = requirePeers(REGISTRIES[name].peers);
    for (const [begun, continued] of [
      ['go', 'ours'],
      ['ours', 'go'],
    ] as const) {
      test.skipIf(!needed.found)(`by ${begun} on ${name} goes on with ${continued}`, async () => {
        const first = hosts[begun];
        const second = hosts[continued];
        const registry = await REGISTRIES[name].start();
        const store = `oci://${registry.address}/${REPOSITORY}`;
        const own = join(folder.path, `${begun}-${name}`);
        const tree = join(own, 'tree');
        const other = join(own, 'other');
        try {
          await writeSmallTree(tree);
          await writeSmallTree(other, 9000);
          await first.create(store);
          await first.backup(store, tree);
          await first.backup(store, other);
          const [dropped = '', kept = ''] = await first.ls(store);

          expect(await second.ls(store)).toEqual([dropped, kept]);
          await second.check(store);
          await second.restore(store, join(own, 'read'), kept);
          expect(await compareTrees(tree, join(own, 'read'))).toEqual([]);
          await writeFile(join(tree, 'added.txt'), `added with ${continued}\n`);
          await second.backup(store, tree);
          const packfiles = await liveTags(registry.address, REPOSITORY, 'packfiles');
          await second.rm(store, dropped);
          await second.maintenance(store, () => clearLocks(store));
          const left = await liveTags(registry.address, REPOSITORY, 'packfiles');
          expect(packfiles.filter((tag) => !left.includes(tag))).not.toEqual([]);

          const [added = ''] = await first.ls(store);
          expect(await first.ls(store)).toEqual([added, kept]);
          await first.check(store);
          await first.restore(store, join(own, 'extended'), added);
          expect(await compareTrees(tree, join(own, 'extended'))).toEqual([]);
          await clearLocks(store);
        } finally {
          await registry.stop();
        }
      });
    }
  }
});
