/** Our own client against every profile: what it stores comes back byte for byte. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
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

/** Around the limits of the providers: 4 MiB a chunk, 5 MiB at least, 20 MB a body. */
const SIZES = [1, 4 * MIB + 1, 21 * MIB + 1];

/** Where the first stream above one chunk is lost: what refuses its first or last request cannot have it again. */
const LOSES_FIRST_STREAM: readonly ProfileName[] = ['ghcr', 'gar', 'ecr-2023'];

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Lets reads that lag behind catch up. */
async function settle({ store }: OpenOciStore, ref: ObjectRef): Promise<void> {
  for (let read = 0; read < 2; read++) await store.verify(ref);
}

async function all(macs: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const mac of macs) found.push(mac);
  return found.sort();
}

const variants = PROFILE_NAMES.filter((name) => 'variantOf' in PROFILES[name]);
const originals = PROFILE_NAMES.filter((name) => !variants.includes(name));

describe.each(PROFILE_NAMES)('our client and the profile %s', (profile) => {
  let registry: RunningRegistry;
  let open: OpenOciStore;
  let folder: string;

  beforeAll(async () => {
    registry = await startRegistry({ profile, profileSettings: { repositories: ['me/*'] } });
    open = openOciStore(`oci://${registry.address}/me/store`, { retry: FAST_RETRY });
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
  });

  afterAll(async () => {
    await open.close();
    await registry.close();
    await rm(folder, { recursive: true });
  });

  afterEach(() => expect(registry.openSessions()).toEqual([]));

  test('a store: push, verify, copy within the registry, pull', async () => {
    const { store, objects } = await writeSyntheticStore(join(folder, 'source'), { totalBytes: 9 * MIB });
    await pushAll(await planPush([store.location]), open.store);
    for (const type of ['packfile', 'state'] as const) {
      for await (const mac of open.store.list(type)) {
        await settle(open, { type, mac });
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
      for (const mac of await all(store.list(type))) {
        const [one, other] = await Promise.all([store.get({ type, mac }), target.get({ type, mac })]);
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
    expect(await all(open.store.list('lock'))).toEqual(macs.sort());
  });

  test('deletion takes one of two objects with the same content, and lets it be put again', async () => {
    const content = Buffer.from('the same');
    const [ref, other] = ['a state', 'another state'].map(
      (name): ObjectRef => ({ type: 'state', mac: digestOf(Buffer.from(name)) }),
    ) as [ObjectRef, ObjectRef];
    const put = async (state: ObjectRef) => {
      await open.store.put(state, bufferSource(content, 'the same'));
      await settle(open, state);
    };
    const stranger = openOciStore(`oci://${registry.address}/me/store`, { retry: FAST_RETRY });
    const left = async ({ store }: OpenOciStore) =>
      (await all(store.list('state'))).filter((mac) => mac === ref.mac || mac === other.mac);
    try {
      await put(ref);
      await put(other);
      await open.store.delete(ref);
      for (const one of [open, stranger]) {
        expect(await left(one)).toEqual([other.mac]);
        await expect(one.store.stat(ref)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
        expect((await collect((await one.store.get(other)).stream)).equals(content)).toBe(true);
      }
      await put(ref);
      for (const one of [open, stranger]) {
        expect(await left(one)).toEqual([ref.mac, other.mac].sort());
        expect((await collect((await one.store.get(ref)).stream)).equals(content)).toBe(true);
      }
    } finally {
      await stranger.close();
    }
  });

  test('a lock is refreshed, and gone when it is deleted', async () => {
    const lock: ObjectRef = { type: 'lock', mac: digestOf(Buffer.from('refreshed')) };
    const stranger = openOciStore(`oci://${registry.address}/me/store`, { retry: FAST_RETRY });
    try {
      for (const word of ['one', 'two', 'three'])
        await open.store.put(lock, bufferSource(Buffer.from(word), 'lock'));
      await settle(open, lock);
      expect(await all(stranger.store.list('lock'))).toContain(lock.mac);
      expect((await collect((await stranger.store.get(lock)).stream)).toString()).toBe('three');
      await open.store.delete(lock);
      expect(await all(stranger.store.list('lock'))).not.toContain(lock.mac);
    } finally {
      await stranger.close();
    }
  });

  // Variants differ elsewhere: their bytes would take time and tell nothing new.
  const sizes = originals.includes(profile) ? SIZES : SIZES.slice(0, 1);
  test.each(sizes)('%i bytes, whole and in part', async (bytes) => {
    const content = seededBytes(bytes, bytes);
    const mac = digestOf(content);
    const ref: ObjectRef = { type: 'packfile', mac };
    await open.store.put(ref, bufferSource(content, mac));
    expect((await collect((await open.store.get(ref)).stream)).equals(content)).toBe(true);
    const range = { offset: Math.floor(bytes / 2), length: 100 };
    const part = await collect((await open.store.get(ref, { range })).stream);
    expect(part.equals(content.subarray(range.offset, range.offset + 100))).toBe(true);
  });

  const long = originals.includes(profile) || LOSES_FIRST_STREAM.includes(profile);
  const streamBytes = long ? 19 * MIB + 1 : 100;
  test('a stream of unknown length', async () => {
    const content = seededBytes(7, streamBytes);
    const mac = digestOf(content);
    const ref: ObjectRef = { type: 'packfile', mac };
    const small = openOciStore(`oci://${registry.address}/me/store`, {
      retry: FAST_RETRY,
      chunkBytes: 6 * MIB,
    });
    const put = () => small.store.put(ref, streamSource(pieces(content), mac));
    try {
      if (LOSES_FIRST_STREAM.includes(profile)) {
        await expect(put()).rejects.toMatchObject({ code: 'UPLOAD_SESSION_LOST' });
      }
      await put();
      expect(digestOf(await collect((await small.store.get(ref)).stream))).toBe(mac);
    } finally {
      await small.close();
    }
  });
});

test('every profile is called by its name', () => {
  expect(Object.values(PROFILES).map(({ name }) => name)).toEqual(PROFILE_NAMES);
});
