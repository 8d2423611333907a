/** Our own client against every profile: what it stores comes back byte for byte. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ProfileName, type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { PROFILE_NAMES, PROFILES } from '../../../src/emulator/profiles/index.ts';
import { bufferSource } from '../../../src/engine/bufferSource.ts';
import { streamSource } from '../../../src/engine/streamSource.ts';
import { DirectoryStore } from '../../../src/store/directoryStore.ts';
import type { ObjectRef } from '../../../src/store/objectNames.ts';
import { type OpenOciStore, openOciStore } from '../../../src/store/openStore.ts';
import { planPush } from '../../../src/store/pushItems.ts';
import { writeSyntheticStore } from '../../../src/store/syntheticStore.ts';
import { copyAll, pullAll, pushAll } from '../../../src/store/transfer.ts';
import { collect, FAST_RETRY, MIB, pieces } from '../../engine/rig.ts';
import { seededBytes } from '../../support/seededBytes.ts';

/** Around the limits of the providers: 4 MiB, 5 MiB, 20 MB; the last two are more than one chunk of the engine's. */
const SIZES = [1, 4096, 4 * MIB + 1, 5 * MIB, 21 * MIB + 1, 34 * MIB];

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.each(PROFILE_NAMES)('our client and the profile %s', (profile) => {
  let registry: RunningRegistry;
  let open: OpenOciStore;
  let folder: string;

  beforeEach(async () => {
    registry = await startRegistry({ profile, profileSettings: { repositories: ['me/*'] } });
    open = openOciStore(`oci://${registry.address}/me/store`, { retry: FAST_RETRY });
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
  });

  afterEach(async () => {
    await open.close();
    await registry.close();
    await rm(folder, { recursive: true });
  });

  test.each(SIZES)('%i bytes, from memory and as a stream', async (bytes) => {
    const content = seededBytes(bytes, bytes);
    const mac = digestOf(content);
    const packfile: ObjectRef = { type: 'packfile', mac };
    const state: ObjectRef = { type: 'state', mac };
    await open.store.put(packfile, bufferSource(content, mac));
    await open.store.put(state, streamSource(pieces(content), mac));
    for (const ref of [packfile, state]) {
      const read = await collect((await open.store.get(ref)).stream);
      expect(read.equals(content), ref.type).toBe(true);
    }
    const middle = { offset: Math.floor(bytes / 2), length: 100 };
    const part = await collect((await open.store.get(packfile, { range: middle })).stream);
    expect(part.equals(content.subarray(middle.offset, middle.offset + 100))).toBe(true);
    expect(registry.openSessions()).toEqual([]);
  });

  test('a stream of unknown length that does not fit into one chunk', async () => {
    const content = seededBytes(7, 40 * MIB);
    const mac = digestOf(content);
    const small = openOciStore(`oci://${registry.address}/me/store`, {
      retry: FAST_RETRY,
      memoryBytes: 128 * MIB,
      chunkBytes: 6 * MIB,
      uploadMode: 'auto',
    });
    try {
      await small.store.put({ type: 'packfile', mac }, streamSource(pieces(content), mac));
      const read = await collect((await open.store.get({ type: 'packfile', mac })).stream);
      expect(digestOf(read)).toBe(mac);
    } finally {
      await small.close();
    }
  });

  test('a store: push, verify, copy within the registry, pull', async () => {
    const { store, objects } = await writeSyntheticStore(join(folder, 'source'), { totalBytes: 30 * MIB });
    await pushAll(await planPush([store.location]), open.store);
    for (const type of ['packfile', 'state'] as const) {
      for await (const mac of open.store.list(type)) {
        expect(await open.store.verify({ type, mac }, { deep: true })).toMatchObject({ ok: true });
      }
    }
    const twin = openOciStore(`oci://${registry.address}/me/twin`, { retry: FAST_RETRY });
    const target = new DirectoryStore(join(folder, 'target'));
    try {
      await copyAll(open.store, twin.store);
      await pullAll(twin.store, target);
    } finally {
      await twin.close();
    }
    let equal = 0;
    for (const type of ['packfile', 'state'] as const) {
      for await (const mac of store.list(type)) {
        const ref = { type, mac };
        const [one, other] = await Promise.all([store.get(ref), target.get(ref)]);
        const [bytes, pulled] = await Promise.all([collect(one.stream), collect(other.stream)]);
        if (bytes.equals(pulled)) equal++;
      }
    }
    expect(equal).toBe(objects);
  });

  test('a list of more tags than fit into a page', async () => {
    const macs = Array.from({ length: 120 }, (_, at) => digestOf(Buffer.from(`lock ${at}`)));
    const put = (mac: string) => open.store.put({ type: 'lock', mac }, bufferSource(Buffer.from(mac), mac));
    await Promise.all(macs.map(put));
    expect((await Array.fromAsync(open.store.list('lock'))).sort()).toEqual(macs.sort());
  });

  test('deletion', async () => {
    const ref: ObjectRef = { type: 'lock', mac: digestOf(Buffer.from('a lock')) };
    const other: ObjectRef = { type: 'lock', mac: digestOf(Buffer.from('another lock')) };
    await open.store.put(ref, bufferSource(Buffer.from('the same'), 'lock'));
    await open.store.put(other, bufferSource(Buffer.from('the same'), 'lock'));
    const deletion = open.store.delete(ref);
    const refused = REFUSED[profile];
    if (refused) await expect(deletion).rejects.toMatchObject({ code: refused });
    else await deletion;
    const left = (await Array.fromAsync(open.store.list('lock'))).sort();
    expect(left).toEqual(refused ? [ref.mac, other.mac].sort() : [other.mac]);
  });
});

/** What a deletion comes to where the registry has none for us. */
const REFUSED: Partial<Record<ProfileName, string>> = {
  ghcr: 'DELETE_UNSUPPORTED',
  'ghcr-stale': 'DELETE_UNSUPPORTED',
  dockerhub: 'ACCESS_DENIED',
  'harbor-immutable': 'REGISTRY_FAILED',
  'registry2-nodelete': 'DELETE_UNSUPPORTED',
};

test('every profile is met', () => {
  expect(Object.values(PROFILES).map(({ name }) => name)).toEqual(PROFILE_NAMES);
});
