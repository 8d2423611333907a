import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { tagOf } from '../../src/store/objectNames.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { planPush } from '../../src/store/pushItems.ts';
import { writeSyntheticStore } from '../../src/store/syntheticStore.ts';
import { pullAll, pushAll } from '../../src/store/transfer.ts';
import { collect, refOf, refuse } from '../engine/rig.ts';
import { type Abilities, RegistryAbilities } from '../support/registryAbilities.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { describeObjectStore } from './objectStoreConformance.ts';

const MIB = 1024 * 1024;

describeObjectStore('a directory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
  return { store: new DirectoryStore(join(folder, 'store')), close: () => rm(folder, { recursive: true }) };
});

const REGISTRIES: Readonly<Record<string, Abilities>> = {
  'a registry': {},
  'a registry without deletion by tag': { byTag: 'refused' },
  'a registry without deletion': { byTag: 'refused', byDigest: 'refused' },
  'a registry with immutable tags': { immutable: { status: 400, code: 'TAG_INVALID' } },
  'a registry with immutable tags, without deletion': {
    ...{ byTag: 'refused', byDigest: 'protected' },
    immutable: { status: 412, code: 'PRECONDITION' },
  },
};
for (const [name, abilities] of Object.entries(REGISTRIES)) {
  describeObjectStore(name, async () => {
    const registry = await startRegistry({ faults: new RegistryAbilities(abilities) });
    const open = openOciStore(`oci://${registry.address}/my/store`);
    return {
      store: open.store,
      close: async () => Promise.all([open.close(), registry.close()]).then(() => {}),
    };
  });
}

describe('a store in a registry', () => {
  let registry: RunningRegistry;
  let open: OpenOciStore;
  let folder: string;
  beforeEach(async () => {
    registry = await startRegistry();
    open = openOciStore(`oci://${registry.address}/my/store`);
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
  });
  afterEach(async () => {
    await open.close();
    await registry.close();
    await rm(folder, { recursive: true });
  });

  const url = (path: string) => `${registry.url}/v2/my/store/${path}`;
  const putRaw = (tag: string, manifest: unknown) =>
    fetch(url(`manifests/${tag}`), {
      method: 'PUT',
      body: JSON.stringify(manifest),
      headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
    });
  const manifestOf = async (number: number) =>
    (await fetch(url(`manifests/${tagOf(refOf(number))}`))).json() as Promise<{
      layers: { digest: string; data?: string }[];
      artifactType?: string;
    }>;

  it('is not there when nothing but packfiles arrived', async () => {
    const { store } = await writeSyntheticStore(join(folder, 'a'), { totalBytes: 9 * MIB });
    registry.setFaults({
      before: ({ method, reference }) =>
        method === 'PUT' && reference?.startsWith('packfiles-') ? refuse(403) : undefined,
    });
    await expect(pushAll(await planPush([store.location]), open.store)).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
    registry.setFaults(undefined);
    const tags = ((await (await fetch(url('tags/list'))).json()) as { tags: string[] | null }).tags ?? [];
    expect(tags.filter((tag) => tag.startsWith('state-') || tag === 'CONFIG')).toEqual([]);
  });

  it('goes in, comes back, and goes in again without a byte', async () => {
    const { store, objects } = await writeSyntheticStore(join(folder, 'a'), { totalBytes: 20 * MIB });
    const plan = await planPush([store.location]);
    expect(await pushAll(plan, open.store)).toMatchObject({ objects, skipped: 0 });
    expect(await pushAll(plan, open.store)).toMatchObject({ objects, skipped: objects, bytes: 0 });
    const copy = new DirectoryStore(join(folder, 'b'));
    expect(await pullAll(open.store, copy)).toMatchObject({ objects, skipped: 0 });
    expect(await pullAll(open.store, copy)).toMatchObject({ objects, skipped: objects });
    for (const type of ['packfile', 'state'] as const) {
      for await (const mac of store.list(type)) {
        const [one, two] = await Promise.all([store.get({ type, mac }), copy.get({ type, mac })]);
        expect((await collect(one.stream)).equals(await collect(two.stream))).toBe(true);
      }
    }
  });

  it('refuses another store', async () => {
    await open.store.create(Buffer.from('mine'));
    const { store } = await writeSyntheticStore(join(folder, 'a'), { totalBytes: 5 * MIB });
    await expect(pushAll(await planPush([store.location]), open.store)).rejects.toMatchObject({
      code: 'STORE_EXISTS',
    });
    expect(Buffer.from(await open.store.open()).toString()).toBe('mine');
  });

  it('uploads the configuration blob once', async () => {
    for (let number = 1; number <= 3; number++) {
      await open.store.put(refOf(number), bufferSource(seededBytes(number, 5000), 'x'));
    }
    // One request for it, and one for each payload: it also showed that the host stores a blob with the POST.
    expect(open.stats().requests).toEqual({
      'tag-list': 1,
      'manifest-read': 3,
      'upload-commit': 4,
      'manifest-write': 3,
    });
  });

  it('reads a small object with one request, from a process that knows nothing', async () => {
    await open.store.put(refOf(1), bufferSource(seededBytes(1, 4096), 'x'));
    const other = openOciStore(`oci://${registry.address}/my/store`);
    await collect((await other.store.get(refOf(1))).stream);
    expect(other.stats().requests).toEqual({ 'manifest-read': 1 });
    await other.close();
  });

  it('stores a large object as several layers and reads across them', async () => {
    const parts = openOciStore(`oci://${registry.address}/my/store`, { partBytes: MIB });
    const content = seededBytes(1, 3 * MIB + 5);
    await parts.store.put(refOf(1), bufferSource(content, 'x'));
    expect((await manifestOf(1)).layers).toHaveLength(4);
    const range = { offset: MIB - 3, length: MIB + 10 };
    expect(
      (await collect((await open.store.get(refOf(1), { range })).stream)).equals(
        content.subarray(MIB - 3, 2 * MIB + 7),
      ),
    ).toBe(true);
    await parts.close();
  });

  it('falls back to the OCI 1.0 form where artifactType is refused, and remembers', async () => {
    let refusals = 0;
    registry.setFaults({
      before: ({ method, route }) =>
        method === 'PUT' && route === 'manifest' && refusals++ === 0 ? refuse(405, 'UNSUPPORTED') : undefined,
    });
    await open.store.put(refOf(1), bufferSource(seededBytes(1, 5000), 'x'));
    await open.store.put(refOf(2), bufferSource(seededBytes(2, 5000), 'x'));
    expect([(await manifestOf(1)).artifactType, (await manifestOf(2)).artifactType]).toEqual([
      undefined,
      undefined,
    ]);
    expect(open.stats().requests['manifest-write']).toBe(3);
  });

  it('reads and safely deletes what the Go connector wrote', async () => {
    const content = seededBytes(1, 6000);
    await open.store.put(refOf(1), bufferSource(content, 'x'));
    const digest = (await manifestOf(1)).layers[0]?.digest;
    const theirs = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        size: 2,
      },
      layers: [{ mediaType: 'application/octet-stream', digest, size: 0 }],
    };
    await putRaw(tagOf(refOf(2)), theirs);
    await putRaw(tagOf(refOf(3)), theirs);
    registry.setFaults({
      before: ({ method, reference }) =>
        method === 'DELETE' && !reference?.includes(':') ? refuse(405) : undefined,
    });
    expect(await open.store.stat(refOf(2))).toMatchObject({ bytes: 6000 });
    expect(await open.store.verify(refOf(2), { deep: true })).toMatchObject({ ok: true });
    await open.store.delete(refOf(2));
    expect((await collect((await open.store.get(refOf(3))).stream)).equals(content)).toBe(true);
  });

  it('tells damage: a wrong digest, a wrong size, a missing blob, a foreign manifest', async () => {
    for (let number = 1; number <= 3; number++)
      await open.store.put(refOf(number), bufferSource(seededBytes(number, 9000), 'x'));
    const digests = await Promise.all(
      [1, 2, 3].map(async (number) => (await manifestOf(number)).layers[0]?.digest ?? ''),
    );
    await registry.corruptBlob('my/store', digests[0] ?? '', seededBytes(99, 9000));
    await registry.corruptBlob('my/store', digests[1] ?? '', seededBytes(99, 50));
    await registry.dropBlob('my/store', digests[2] ?? '');
    await putRaw(tagOf(refOf(4)), await manifestOf(1));
    const codes = await Promise.all(
      [1, 2, 3, 4].map(async (number) => {
        const finding = await open.store.verify(refOf(number), { deep: true });
        return finding.ok ? 'ok' : (finding.error as { code?: string }).code;
      }),
    );
    expect(codes).toEqual(['BLOB_CORRUPT', 'SIZE_MISMATCH', 'BLOB_MISSING', 'MANIFEST_FOREIGN']);
  });

  it('takes up a broken read at the byte it reached', async () => {
    const content = seededBytes(1, 3 * MIB);
    await open.store.put(refOf(1), bufferSource(content, 'x'));
    registry.setFaults({
      before: ({ method, route, ordinal }) =>
        method === 'GET' && route === 'blob' && ordinal === 0
          ? { kind: 'cut-response', afterResponseBytes: MIB }
          : undefined,
    });
    expect((await collect((await open.store.get(refOf(1))).stream)).equals(content)).toBe(true);
    expect(open.stats()).toMatchObject({ requests: { 'blob-read': 2 }, retries: 1 });
  });

  it('takes a range from a registry that ignores ranges', async () => {
    const content = seededBytes(1, MIB);
    await open.store.put(refOf(1), bufferSource(content, 'x'));
    const digest = (await manifestOf(1)).layers[0]?.digest;
    registry.setFaults({
      before: ({ method, route }) =>
        method === 'GET' && route === 'blob' && digest
          ? { kind: 'respond', status: 200, body: content }
          : undefined,
    });
    const range = { offset: 1000, length: 2000 };
    expect(
      (await collect((await open.store.get(refOf(1), { range })).stream)).equals(
        content.subarray(1000, 3000),
      ),
    ).toBe(true);
  });
});

describe('a directory store', () => {
  it('shows no file that is half-written, and no name that is no MAC', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
    const store = new DirectoryStore(folder);
    await store.create(Buffer.from('x'));
    await writeFile(join(folder, 'packfiles', 'ab', '.tmp-crashed'), 'half');
    await writeFile(join(folder, 'packfiles', 'ab', 'README'), 'x');
    const broken = async function* () {
      yield new Uint8Array(10);
      throw new Error('the source broke');
    };
    const { streamSource } = await import('../../src/engine/streamSource.ts');
    await expect(store.put(refOf(1), streamSource(broken(), 'x'))).rejects.toThrow('the source broke');
    const macs: string[] = [];
    for await (const mac of store.list('packfile')) macs.push(mac);
    expect(macs).toEqual([]);
    expect(await readdir(join(folder, 'packfiles', refOf(1).mac.slice(0, 2)))).toEqual([]);
    await rm(folder, { recursive: true });
  });

  it('is made the same for the same seed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
    const macs = async (name: string, seed: string) => {
      const { store } = await writeSyntheticStore(join(folder, name), { totalBytes: 12 * MIB, seed });
      const found: string[] = [];
      for await (const mac of store.list('packfile')) found.push(mac);
      return found.sort();
    };
    expect(await macs('a', 's')).toEqual(await macs('b', 's'));
    expect(await macs('c', 't')).not.toEqual(await macs('d', 's'));
    await rm(folder, { recursive: true });
  });
});
