/** What every Kloset store has to do, whatever it is made of. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import type { ObjectRef, ObjectType } from '../../src/store/objectNames.ts';
import type { ObjectStore } from '../../src/store/objectStore.ts';
import { collect, refOf } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

export interface StoreUnderTest {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

const CONFIG = Buffer.from('a configuration');

export function describeObjectStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`${name} as a Kloset store`, () => {
    let under: StoreUnderTest;
    let store: ObjectStore;
    beforeEach(async () => {
      under = await makeStore();
      store = under.store;
    });
    afterEach(() => under.close());

    const put = (ref: ObjectRef, content: Uint8Array) => store.put(ref, bufferSource(content, 'content'));
    const read = async (ref: ObjectRef, offset: number, length: number) =>
      collect((await store.get(ref, { range: { offset, length } })).stream);
    const list = async (type: ObjectType) => {
      const macs: string[] = [];
      for await (const mac of store.list(type)) macs.push(mac);
      return macs.sort();
    };

    it('releases what a source holds when its put has ended, also in a failure', async () => {
      const holding = (open: () => Promise<never>) => {
        const held = { releases: 0, release: () => void held.releases++ };
        const source = bufferSource(seededBytes(1, 100_000), 'held');
        return { held, source: { ...source, held }, broken: { ...source, held, open } };
      };
      const { held, source, broken } = holding(() => Promise.reject(new Error('cannot be read')));
      await store.put(refOf(1), source);
      expect(held.releases).toBeGreaterThan(0);
      held.releases = 0;
      await expect(store.put(refOf(2), broken)).rejects.toThrow('cannot be read');
      expect(held.releases).toBeGreaterThan(0);
    });

    it('is created once; a second create changes nothing', async () => {
      await expect(store.open()).rejects.toMatchObject({ code: 'STORE_MISSING' });
      await store.create(CONFIG);
      await expect(store.create(Buffer.from('another'))).rejects.toMatchObject({ code: 'STORE_EXISTS' });
      expect(Buffer.from(await store.open()).equals(CONFIG)).toBe(true);
    });

    it.each([1, 4096, 4097, 200_000])('gives back %i bytes, whole and in part', async (length) => {
      const content = seededBytes(length, length);
      expect(await put(refOf(1), content)).toEqual({ bytes: length, skipped: false });
      expect((await store.stat(refOf(1))).bytes).toBe(length);
      expect((await collect((await store.get(refOf(1))).stream)).equals(content)).toBe(true);
      expect((await read(refOf(1), 0, 1)).equals(content.subarray(0, 1))).toBe(true);
      expect((await read(refOf(1), length - 1, 100)).equals(content.subarray(length - 1))).toBe(true);
      await expect(read(refOf(1), length, 1)).rejects.toMatchObject({ code: 'RANGE_INVALID' });
    });

    it('skips what is there', async () => {
      const content = seededBytes(1, 10_000);
      await put(refOf(1), content);
      expect((await put(refOf(1), content)).skipped).toBe(true);
    });

    it('puts a lock again, with other content', async () => {
      const lock = { ...refOf(1), type: 'lock' } as const;
      await put(lock, Buffer.from('one'));
      await put(lock, Buffer.from('two'));
      expect((await collect((await store.get(lock)).stream)).toString()).toBe('two');
    });

    it('lists by type, and no longer what was deleted', async () => {
      const state = { ...refOf(3), type: 'state' } as const;
      await Promise.all([
        put(refOf(1), seededBytes(1, 10)),
        put(refOf(2), seededBytes(2, 10)),
        put(state, seededBytes(3, 10)),
      ]);
      expect(await list('packfile')).toEqual([refOf(1).mac, refOf(2).mac].sort());
      expect(await list('state')).toEqual([state.mac]);
      expect(await list('lock')).toEqual([]);
      await store.delete(refOf(1));
      expect(await list('packfile')).toEqual([refOf(2).mac]);
      await expect(store.stat(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      await store.delete(refOf(1));
    });

    it('keeps an object whose content another one shared, when that one is deleted', async () => {
      const content = seededBytes(5, 5000);
      await put(refOf(1), content);
      await put(refOf(2), content);
      await store.delete(refOf(1));
      expect((await collect((await store.get(refOf(2))).stream)).equals(content)).toBe(true);
    });

    it('verifies', async () => {
      await put(refOf(1), seededBytes(1, 10_000));
      expect(await store.verify(refOf(1), { deep: true })).toEqual({
        ref: refOf(1),
        ok: true,
        bytes: 10_000,
      });
      expect(await store.verify(refOf(2))).toMatchObject({ ok: false, error: { code: 'OBJECT_MISSING' } });
    });
  });
}
