/** Objects whose bytes are damaged on the way: fetched again once, and reported when they stay damaged. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FaultPlan } from '../../src/emulator/index.ts';
import { CachedStore } from '../../src/store/cachedStore.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { HELD_BYTES } from '../../src/store/readLayers.ts';
import { copyAll, pullAll } from '../../src/store/transfer.ts';
import * as r from '../engine/rig.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

const SHORT = seededBytes(1, 300_000);
const LONG = seededBytes(2, HELD_BYTES + 3 * r.MIB);
type At = Parameters<NonNullable<FaultPlan['before']>>[0];
const isRead = ({ method, route }: At) => method === 'GET' && route === 'blob';

let rig: r.Rig;
let folder: Scratch;
beforeEach(async () => {
  rig = await r.startRig();
  folder = await scratch('heals');
  await rig.put(1, SHORT);
  await rig.put(2, LONG);
  rig.spent();
});
afterEach(async () => {
  await rig.close();
  await folder.remove();
});

/** Damages one byte of the first so many reads of blobs. */
function damage(reads: number): void {
  rig.registry.setFaults({
    body: (at, chunk) =>
      isRead(at) && at.ordinal < reads
        ? Uint8Array.from(chunk, (byte, index) => (index === 0 ? byte ^ 1 : byte))
        : chunk,
  });
}

const reads = () => rig.spent()['blob-read'];

describe('a short object', () => {
  test('that is damaged once is fetched again, and nobody sees the damaged bytes', async () => {
    damage(1);
    expect((await rig.read(1)).equals(SHORT)).toBe(true);
    expect(reads()).toBe(2);
  });

  test('that stays damaged is reported with its name, the registry and both digests, and not a byte of it', async () => {
    damage(9);
    const seen: number[] = [];
    const read = async () => {
      for await (const chunk of (await rig.open.store.get(r.refOf(1))).stream) seen.push(chunk.length);
    };
    await expect(read()).rejects.toMatchObject({
      code: 'BLOB_CORRUPT',
      message: expect.stringMatching(
        new RegExp(
          `packfile ${r.refOf(1).mac} on ${rig.registry.address}/kloset/store: expected digest sha256:[0-9a-f]{64}, the bytes have sha256:[0-9a-f]{64}; tried: fetched twice`,
        ),
      ),
    });
    expect(seen).toEqual([]);
    expect(reads()).toBe(2);
  });

  test('is fetched again for the cache as well', async () => {
    damage(1);
    const store = new CachedStore(rig.open.store);
    const { stream } = await store.get(r.refOf(1), { range: { offset: 10, length: 1000 } });
    expect((await r.collect(stream)).equals(SHORT.subarray(10, 1010))).toBe(true);
    expect(reads()).toBe(2);
  });
});

describe('a long object', () => {
  test('that is damaged ends in an error before its last piece', async () => {
    damage(1);
    let seen = 0;
    const read = async () => {
      for await (const chunk of (await rig.open.store.get(r.refOf(2))).stream) seen += chunk.length;
    };
    await expect(read()).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
    expect(seen).toBeGreaterThan(0);
    expect(seen).toBeLessThan(LONG.length);
  });

  test('is verified again before it is called damaged', async () => {
    damage(1);
    expect(await rig.open.store.verify(r.refOf(2), { deep: true })).toMatchObject({ ok: true });
    damage(9);
    expect(await rig.open.store.verify(r.refOf(2), { deep: true })).toMatchObject({
      ok: false,
      error: { code: 'BLOB_CORRUPT', details: { tried: 'fetched twice' } },
    });
    expect(reads()).toBe(4);
  });
});

describe('a store', () => {
  beforeEach(async () => {
    await rig.open.store.create(Buffer.from('configuration'));
    await rig.open.store.delete(r.refOf(0));
    rig.spent();
  });

  test('is pulled whole, though every object came damaged at first', async () => {
    const damaged = new Set<string>();
    rig.registry.setFaults({
      body: (at, chunk) => {
        const { reference = '' } = at;
        if (!isRead(at) || damaged.has(reference)) return chunk;
        damaged.add(reference);
        return Uint8Array.from(chunk, (byte) => byte ^ 1);
      },
    });
    const target = new DirectoryStore(join(folder.path, 'pulled'));
    await pullAll(rig.open.store, target);
    expect((await readFile(target.pathOf(r.refOf(1)))).equals(SHORT)).toBe(true);
    expect((await readFile(target.pathOf(r.refOf(2)))).equals(LONG)).toBe(true);
    expect(reads()).toBe(4);
  });

  test('is copied whole to another registry in the same way', async () => {
    damage(1);
    const other = await r.startRig();
    try {
      await other.open.store.delete(r.refOf(0));
      await copyAll(rig.open.store, other.open.store);
      expect((await other.read(1)).equals(SHORT)).toBe(true);
      expect((await other.read(2)).equals(LONG)).toBe(true);
      expect(other.registry.openSessions()).toEqual([]);
    } finally {
      await other.close();
    }
  });

  test('is not pulled where an object stays damaged, and nothing of that is visible', async () => {
    damage(99);
    const target = new DirectoryStore(join(folder.path, 'pulled'));
    await expect(pullAll(rig.open.store, target)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
    for (const number of [1, 2])
      await expect(target.stat(r.refOf(number))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await expect(target.open()).rejects.toMatchObject({ code: 'STORE_MISSING' });
  });
});
