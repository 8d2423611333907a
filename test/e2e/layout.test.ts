/** A layout that we wrote is carried into registries by other people's tools, and one that they wrote is read by us. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { refOf } from '../engine/rig.ts';
import { klosetOci, summaryOf } from '../support/cli.ts';
import { runOk } from '../support/measured.ts';
import { peer, requirePeers } from '../support/peers.ts';
import { REGISTRIES, type RegistryName } from '../support/realRegistries.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { compareTrees } from '../support/seededTree.ts';

const SIZES = [300_000, 5_000_000, 40_000, 4096, 1];
const OBJECTS = SIZES.length + 2;

const tools = requirePeers(['oras', 'regctl']);

describe.skipIf(!tools.found)('an image layout and the tools of others', () => {
  let folder: Scratch;
  let source: string;
  let layout: string;
  let tags: string[];

  beforeAll(async () => {
    folder = await scratch('e2e-layout');
    source = join(folder.path, 'source');
    layout = join(folder.path, 'layout');
    const store = new DirectoryStore(source);
    await store.create(seededBytes(0, 600));
    for (const [number, size] of SIZES.entries())
      await store.put(refOf(number), bufferSource(seededBytes(number, size), 'x'));
    await store.put({ ...refOf(10), type: 'state' }, bufferSource(seededBytes(10, 70_000), 'x'));
    await store.put({ ...refOf(11), type: 'state' }, bufferSource(seededBytes(11, 900), 'x'));
    await klosetOci(['copy', source, `oci-layout:${layout}`, '--json']);
    const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
      manifests: { annotations: Record<string, string> }[];
    };
    tags = index.manifests.map(({ annotations }) => annotations['org.opencontainers.image.ref.name'] ?? '');
    expect(tags).toHaveLength(OBJECTS + 1);
  });

  afterAll(() => folder?.remove());

  for (const name of Object.keys(REGISTRIES) as RegistryName[]) {
    const needed = requirePeers(REGISTRIES[name].peers);
    test.skipIf(!needed.found)(`${name}: there by oras and regctl, and back`, async () => {
      const registry = await REGISTRIES[name].start();
      const path = (part: string) => join(folder.path, `${name}-${part}`);
      const env = { ...process.env, REGCTL_CONFIG: path('regctl.json') };
      const remote = `${registry.address}/by/others`;
      try {
        await runOk(peer('regctl'), ['registry', 'set', '--tls', 'disabled', registry.address], { env });
        for (const [at, tag] of tags.entries()) {
          if (at % 2 === 0) {
            const args = [
              'cp',
              '--from-oci-layout',
              `${layout}:${tag}`,
              '--to-plain-http',
              `${remote}:${tag}`,
            ];
            await runOk(peer('oras'), args);
          } else {
            await runOk(peer('regctl'), ['image', 'copy', `ocidir://${layout}:${tag}`, `${remote}:${tag}`], {
              env,
            });
          }
        }
        await klosetOci(['verify', '--deep', `oci://${remote}`]);
        const back = await klosetOci(['copy', `oci://${remote}`, path('back'), '--json']);
        expect(summaryOf(back.stdout)).toMatchObject({ objects: OBJECTS, skipped: 0 });
        expect(await compareTrees(source, path('back'))).toEqual([]);

        const theirs = path('theirs');
        for (const [at, tag] of tags.entries()) {
          if (at % 2 === 0) {
            const args = [
              'cp',
              '--from-plain-http',
              `${remote}:${tag}`,
              '--to-oci-layout',
              `${theirs}:${tag}`,
            ];
            await runOk(peer('oras'), args);
          } else {
            await runOk(peer('regctl'), ['image', 'copy', `${remote}:${tag}`, `ocidir://${theirs}:${tag}`], {
              env,
            });
          }
        }
        await klosetOci(['copy', theirs, path('again'), '--json']);
        expect(await compareTrees(source, path('again'))).toEqual([]);

        const moved = await klosetOci([
          'copy',
          `oci://${remote}`,
          `oci://${registry.address}/by/us`,
          '--json',
        ]);
        expect(summaryOf(moved.stdout)).toMatchObject({ objects: OBJECTS, mounted: OBJECTS, bytes: 0 });
        await klosetOci(['verify', '--deep', `oci://${registry.address}/by/us`]);
      } finally {
        await registry.stop();
      }
    });
  }
});
