/** A store's life where registries delete nothing, or let no tag be written again: maintenance ends, and everything restores. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRegistry } from '../../../src/emulator/index.ts';
import { connectorPackage } from '../../support/connectors.ts';
import { peer, requirePeers } from '../../support/peers.ts';
import { openPlakar, type Plakar } from '../../support/plakar.ts';
import { type RealRegistry, startDockerRegistry } from '../../support/realRegistries.ts';
import { type Abilities, RegistryAbilities } from '../../support/registryAbilities.ts';
import { blobFiles, liveTags, tagsOf } from '../../support/registryState.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const peers = requirePeers(['plakar', 'docker-registry']);
const REPOSITORY = 'backup/kept';

interface Place {
  readonly address: string;
  stop(): Promise<void>;
}

const embedded = (abilities: Abilities) => async (): Promise<Place> => {
  const registry = await startRegistry({ faults: new RegistryAbilities(abilities) });
  return { address: registry.address, stop: () => registry.close() };
};
const immutable = { status: 400, code: 'TAG_INVALID' };
const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  'docker-registry as it starts by default': () => startDockerRegistry({ deletion: false }),
  'a registry with immutable tags': embedded({ immutable }),
  'a registry with immutable tags that deletes nothing': embedded({
    ...{ immutable, byTag: 'refused', byDigest: 'protected' },
  }),
};

describe.skipIf(!peers.found)('a life of a store on', () => {
  let folder: Scratch;
  let plakar: Plakar;

  beforeAll(async () => {
    folder = await scratch('e2e-kept');
    plakar = await openPlakar({ connector: connectorPackage('ours') });
  });

  afterAll(async () => {
    await plakar?.close();
    await folder?.remove();
  });

  for (const [at, [name, startPlace]] of Object.entries(PLACES).entries()) {
    test(name, async () => {
      const place = await startPlace();
      const own = join(folder.path, String(at));
      const [tree, other] = [join(own, 'tree'), join(own, 'other')];
      const store = `oci://${place.address}/${REPOSITORY}`;
      const live = (prefix: string) => liveTags(place.address, REPOSITORY, prefix);
      try {
        await writeSmallTree(tree);
        await writeSmallTree(other, 9000);
        await plakar.create(store);
        await plakar.backup(store, tree);
        await plakar.backup(store, other);
        const [dropped = '', kept = ''] = await plakar.ls(store);
        const packfiles = await live('packfiles');
        await plakar.rm(store, dropped);
        await plakar.maintenance(store);
        const left = await live('packfiles');
        expect(packfiles.filter((tag) => !left.includes(tag))).not.toEqual([]);
        expect(await plakar.ls(store)).toEqual([kept]);
        await plakar.check(store);

        // What was dropped is backed up again: its content is stored again, not taken for what is there.
        await writeFile(join(tree, 'added.txt'), 'added after the maintenance\n');
        await plakar.backup(store, other);
        await plakar.backup(store, tree);
        const [again = '', back = ''] = await plakar.ls(store);
        const stranger = await openPlakar({ connector: connectorPackage('ours') });
        try {
          expect(await stranger.ls(store)).toEqual([again, back, kept]);
          await stranger.check(store);
          await stranger.restore(store, join(own, 'again'), again);
          await stranger.restore(store, join(own, 'back'), back);
        } finally {
          await stranger.close();
        }
        expect(await compareTrees(tree, join(own, 'again'))).toEqual([]);
        expect(await compareTrees(other, join(own, 'back'))).toEqual([]);
        expect(await live('locks')).toEqual([]);
      } finally {
        await place.stop();
      }
    });
  }

  test('docker-registry by default: its collector frees what maintenance deleted', async () => {
    const registry: RealRegistry = await startDockerRegistry({ deletion: false });
    const own = join(folder.path, 'collected');
    const store = `oci://${registry.address}/${REPOSITORY}`;
    const bytes = async () => (await blobFiles(registry)).reduce((sum, file) => sum + file.bytes, 0);
    try {
      await writeSmallTree(join(own, 'tree'));
      await writeSmallTree(join(own, 'other'), 9000);
      await plakar.create(store);
      await plakar.backup(store, join(own, 'tree'));
      const first = await bytes();
      await plakar.backup(store, join(own, 'other'));
      const [dropped = ''] = await plakar.ls(store);
      const full = await bytes();
      await plakar.rm(store, dropped);
      const graceless = { PLAKAR_GRACEPERIOD: '0s' };
      const runs = [
        await plakar.attempt(['at', store, 'maintenance'], graceless),
        await plakar.attempt(['at', store, 'maintenance'], graceless),
      ];
      expect(runs.map(({ code }) => code)).toEqual([0, 0]);
      // One line, in the run that deletes, whatever the number of packfiles.
      const said = runs.map(
        ({ stderr }) => stderr.split('\n').filter((line) => line.includes('tombstones')).length,
      );
      expect(said).toEqual([0, 1]);
      expect(await bytes()).toBeGreaterThanOrEqual(full);
      const config = join(registry.folder, '..', 'config.yml');
      const args = ['garbage-collect', '--delete-untagged', config];
      const collected = spawnSync(peer('docker-registry'), args, { encoding: 'utf8' });
      expect(collected.status, collected.stderr).toBe(0);
      expect(await bytes()).toBeLessThan(first + (full - first) / 4);
      await plakar.check(store);
      expect((await tagsOf(registry.address, REPOSITORY)).some((tag) => tag.startsWith('tombstones-'))).toBe(
        true,
      );
    } finally {
      await registry.stop();
    }
  });
});
