/** Deletion where registries refuse it, objects where tags are immutable: request by request. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exchange, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { CachedStore } from '../../src/store/cachedStore.ts';
import type { DeletionMemory } from '../../src/store/deletionMemory.ts';
import { type ObjectRef, type ObjectType, tagOf } from '../../src/store/objectNames.ts';
import type { ObjectStore } from '../../src/store/objectStore.ts';
import { type OciStoreOptions, type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { tombstoneTagOf } from '../../src/store/tagNames.ts';
import { collect, FAST_RETRY, refOf } from '../engine/rig.ts';
import { pushImage, taggedDigest } from '../support/foreignImage.ts';
import { type Abilities, RegistryAbilities } from '../support/registryAbilities.ts';
import { tagsOf } from '../support/registryState.ts';
import { seededBytes } from '../support/seededBytes.ts';

const REPOSITORY = 'my/store';
const NO_DELETION: Abilities = { byTag: 'refused', byDigest: 'refused' };
const IMMUTABLE: Abilities = { immutable: { status: 400, code: 'TAG_INVALID' } };

let registry: RunningRegistry;
let plan: RegistryAbilities;
const opened: OpenOciStore[] = [];

const startWith = (abilities: Abilities) => {
  plan = new RegistryAbilities(abilities);
  registry.setFaults(plan);
};
/** A process of its own. */
const open = (options: OciStoreOptions = {}): OpenOciStore => {
  const one = openOciStore(`oci://${registry.address}/${REPOSITORY}`, {
    ...{ retry: FAST_RETRY, hasher: 'native' },
    ...options,
  });
  opened.push(one);
  return one;
};
beforeEach(async () => {
  registry = await startRegistry();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await registry.close();
});

const content = (number: number, bytes = 9000) => seededBytes(number, bytes);
const put = (store: ObjectStore, ref: ObjectRef, bytes: Uint8Array) =>
  store.put(ref, bufferSource(bytes, 'x'));
const read = async (store: ObjectStore, ref: ObjectRef) => collect((await store.get(ref)).stream);
const list = async (store: ObjectStore, type: ObjectType = 'packfile') => {
  const macs: string[] = [];
  for await (const mac of store.list(type)) macs.push(mac);
  return macs.sort();
};
const tags = async () => (await tagsOf(registry.address, REPOSITORY)).sort();
const digestUnder = (tag: string) => taggedDigest(registry.address, REPOSITORY, tag);
const answers = async (reference: string) => {
  const headers = { Accept: 'application/vnd.oci.image.manifest.v1+json' };
  const answer = await fetch(`${registry.url}/v2/${REPOSITORY}/manifests/${reference}`, { headers });
  await answer.arrayBuffer();
  return answer.status;
};
/** The requests about manifests since the last call: `METHOD tag`, a digest as `digest`. */
const asked = () => {
  const log = registry.requestLog().filter(({ path }) => path.includes('/manifests/'));
  registry.resetRequestLog();
  return log.map(({ method, path }) => {
    const reference = path.replace(/^.*\/manifests\//, '');
    return `${method} ${reference.includes(':') ? 'digest' : reference}`;
  });
};
const lock: ObjectRef = { ...refOf(7), type: 'lock' };
const state: ObjectRef = { ...refOf(8), type: 'state' };

describe('a registry that deletes tags and keeps manifests', () => {
  it('is asked for the manifest as well, so that its payload does not stay', async () => {
    startWith({});
    const { store } = open();
    await put(store, refOf(1), content(1));
    const digest = await digestUnder(tagOf(refOf(1)));
    asked();
    await store.delete(refOf(1));
    // What this process has put it need not ask for.
    expect(asked()).toEqual([`DELETE ${tagOf(refOf(1))}`, 'DELETE digest']);
    expect(await answers(digest)).toBe(404);
    expect(await tags()).toEqual([]);
  });

  it('is not for a lock, and no longer where manifests go with their last tag', async () => {
    startWith({ byDigest: 'dropped' });
    const { store } = open();
    for (const ref of [lock, refOf(1), refOf(2)]) await put(store, ref, content(1));
    asked();
    for (const ref of [lock, refOf(1), refOf(2)]) await store.delete(ref);
    expect(asked()).toEqual([
      ...[`DELETE ${tagOf(lock)}`, `DELETE ${tagOf(refOf(1))}`, 'DELETE digest'],
      `DELETE ${tagOf(refOf(2))}`,
    ]);
  });

  it('is not where it took long: distribution reads all tags for it', async () => {
    const { VirtualClock } = await import('../../src/flow/clock.ts');
    const clock = new VirtualClock();
    startWith({});
    const { store } = open({ clock });
    for (const number of [1, 2]) await put(store, refOf(number), content(number));
    plan.trouble = ({ method, reference }) => {
      if (method === 'DELETE' && reference?.includes(':')) void clock.sleep(3000);
      return undefined;
    };
    asked();
    for (const number of [1, 2]) await store.delete(refOf(number));
    expect(asked()).toEqual([...[`DELETE ${tagOf(refOf(1))}`, 'DELETE digest', `DELETE ${tagOf(refOf(2))}`]]);
  });

  it('answers 404 to tags that are there, as ECR did: the digest is next', async () => {
    startWith({});
    plan.trouble = ({ method, reference }) =>
      method === 'DELETE' && !reference?.includes(':') ? { kind: 'respond', status: 404 } : undefined;
    const { store } = open();
    await put(store, refOf(1), content(1));
    await store.delete(refOf(1));
    expect(await tags()).toEqual([]);
  });
});

describe('a registry without deletion', () => {
  it('hides what is deleted, also from a process that knows nothing; the payload is named by nothing', async () => {
    startWith(NO_DELETION);
    const { store } = open();
    for (const number of [1, 2]) await put(store, refOf(number), content(number));
    await store.delete(refOf(1));
    for (const one of [store, open().store]) {
      expect(await list(one)).toEqual([refOf(2).mac]);
      await expect(one.get(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      await expect(one.stat(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      expect(await one.verify(refOf(1))).toMatchObject({ ok: false, error: { code: 'OBJECT_MISSING' } });
      expect((await read(one, refOf(2))).equals(content(2))).toBe(true);
    }
    // Both tags name the empty artifact now, and nothing names the payload.
    expect(await digestUnder(tagOf(refOf(1)))).toBe(await digestUnder(tombstoneTagOf(refOf(1), 0)));
  });

  it('knows without a listing that an object is deleted', async () => {
    startWith(NO_DELETION);
    const { store } = open();
    await put(store, refOf(1), content(1));
    await store.delete(refOf(1));
    asked();
    await expect(open().store.get(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect(asked()).toEqual([`GET ${tagOf(refOf(1))}`]);
  });

  it('is asked for deletions once: then a packfile costs two requests, a lock one', async () => {
    startWith(NO_DELETION);
    const memory: DeletionMemory = {};
    const { store } = open({ deletion: memory });
    for (const ref of [refOf(1), refOf(2), lock]) await put(store, ref, content(1));
    asked();
    for (const ref of [refOf(1), refOf(2), lock]) await store.delete(ref);
    expect(asked()).toEqual([
      ...[`DELETE ${tagOf(refOf(1))}`, 'DELETE digest'],
      ...[`PUT ${tombstoneTagOf(refOf(1), 0)}`, `PUT ${tagOf(refOf(1))}`],
      ...[`PUT ${tombstoneTagOf(refOf(2), 0)}`, `PUT ${tagOf(refOf(2))}`],
      `PUT ${tombstoneTagOf(lock, 0)}`,
    ]);
    expect(memory).toEqual({ byTag: false, byDigest: false });
    // What is known can be kept, and spares the questions.
    await put(store, refOf(3), content(3));
    asked();
    await open({ deletion: { ...memory } }).store.delete(refOf(3));
    expect(asked()).toEqual([`PUT ${tombstoneTagOf(refOf(3), 0)}`, `PUT ${tagOf(refOf(3))}`]);
  });

  it('shows a deleted object again once it is put again, to everybody', async () => {
    startWith(NO_DELETION);
    const { store } = open();
    await put(store, refOf(1), content(1));
    await store.delete(refOf(1));
    // By another process, which has listed nothing.
    await put(open().store, refOf(1), content(1));
    for (const one of [store, open().store]) {
      expect(await list(one)).toEqual([refOf(1).mac]);
      expect((await read(one, refOf(1))).equals(content(1))).toBe(true);
      expect(await one.verify(refOf(1), { deep: true })).toMatchObject({ ok: true });
    }
    // Without a listing too: the first tag tells that it is worth one.
    expect((await read(open().store, refOf(1))).equals(content(1))).toBe(true);
    expect(await tags()).toContain(tagOf(refOf(1), 1));
    await open().store.delete(refOf(1));
    expect(await list(open().store)).toEqual([]);
    await expect(open().store.get(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await put(open().store, refOf(1), content(1));
    expect(await list(open().store)).toEqual([refOf(1).mac]);
    expect(await tags()).toContain(tagOf(refOf(1), 2));
  });

  it('leaves an object whole or deleted, wherever a deletion is cut off', async () => {
    for (let cutAt = 0; ; cutAt++) {
      const ref = refOf(100 + cutAt);
      startWith(NO_DELETION);
      await put(open().store, ref, content(cutAt));
      const { store } = open({ deletion: { byTag: false, byDigest: false } });
      await list(store);
      let writes = 0;
      plan.trouble = ({ method }) =>
        method === 'GET' || writes++ < cutAt ? undefined : { kind: 'reset', afterRequestBytes: 0 };
      const failed = await store.delete(ref).then(
        () => false,
        () => true,
      );
      plan.trouble = undefined;
      const { store: next } = open();
      const macs = await list(next);
      if (macs.includes(ref.mac)) expect((await read(next, ref)).equals(content(cutAt))).toBe(true);
      else await expect(next.get(ref)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      if (failed) {
        await next.delete(ref);
        expect(await list(open().store)).not.toContain(ref.mac);
      }
      // All requests went through: blob, tombstone, moved tag.
      if (writes <= cutAt) {
        expect(cutAt).toBeGreaterThanOrEqual(2);
        break;
      }
    }
  });

  it('keeps no more of a deleted object in the caches of reads', async () => {
    startWith(NO_DELETION);
    const cached = new CachedStore(open().store);
    await put(cached, refOf(1), content(1));
    await read(cached, refOf(1));
    await cached.delete(refOf(1));
    await expect(cached.get(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await put(cached, refOf(1), content(2));
    expect((await read(cached, refOf(1))).equals(content(2))).toBe(true);
  });

  it('is told from one that protects its tags: there they are not moved', async () => {
    startWith({ byTag: 'protected' });
    const { store } = open();
    await put(store, refOf(1), content(1));
    const before = await digestUnder(tagOf(refOf(1)));
    await store.delete(refOf(1));
    expect(await list(open().store)).toEqual([]);
    expect(await digestUnder(tagOf(refOf(1)))).toBe(before);
  });

  it.each(['untagged', 'dangling'] as const)(
    'deletes a digest once its tag is moved (%s)',
    async (byDigest) => {
      startWith({ byTag: 'refused', byDigest });
      const { store } = open();
      for (const number of [1, 2]) await put(store, refOf(number), content(number));
      const digests = await Promise.all([1, 2].map((number) => digestUnder(tagOf(refOf(number)))));
      for (const number of [1, 2]) await store.delete(refOf(number));
      expect(await Promise.all(digests.map(answers))).toEqual([404, 404]);
      expect(await list(open().store)).toEqual([]);
    },
  );

  it('says once what becomes of the room, and nothing of locks', async () => {
    const remarks: string[] = [];
    startWith(NO_DELETION);
    const { store } = open({
      onRemark: (text) => remarks.push(text),
      reclaims: async () => 'Run the collector.',
    });
    for (const ref of [lock, refOf(1), state]) await put(store, ref, content(1));
    await store.delete(lock);
    expect(remarks).toEqual([]);
    await store.delete(refOf(1));
    await store.delete(state);
    expect(remarks).toEqual([expect.stringMatching(/hidden by tombstones.*untagged.*Run the collector\.$/)]);
  });
});

describe('a deletion that has to be asked for again', () => {
  it('goes on until the registry is through, as Cloudflare wants it', async () => {
    startWith({});
    let more = 3;
    plan.trouble = ({ method }) =>
      method === 'DELETE' && more-- > 0
        ? {
            ...{ kind: 'respond', status: 400 },
            body: JSON.stringify({ errors: [{ code: 'MANIFEST_TAGS', message: 'continue' }] }),
          }
        : undefined;
    const { store } = open();
    await put(store, lock, content(1));
    asked();
    await store.delete(lock);
    expect(asked()).toEqual(Array(4).fill(`DELETE ${tagOf(lock)}`));
    expect(await tags()).toEqual([]);
  });

  it('is done when the second try finds nothing', async () => {
    startWith({});
    plan.trouble = ({ method, ordinal }) =>
      method === 'DELETE' && ordinal === 0 ? { kind: 'lose-response' } : undefined;
    const { store } = open();
    await put(store, lock, content(1));
    await store.delete(lock);
    expect(await list(open().store, 'lock')).toEqual([]);
  });
});

describe('immutable tags', () => {
  it.each([
    [400, 'TAG_INVALID'],
    [409, 'TAG_IMMUTABLE'],
    [412, 'PRECONDITION'],
    [400, 'MANIFEST_INVALID'],
    [403, 'DENIED'],
  ])('that are refused with %i %s take the same content again', async (status, code) => {
    startWith({ immutable: { status, code } });
    await put(open().store, refOf(1), content(1));
    await put(open({ looksBeforePut: false }).store, refOf(1), content(1));
    expect(await tags()).toEqual([tagOf(refOf(1))]);
    await put(open({ looksBeforePut: false }).store, refOf(1), content(2));
    expect(await tags()).toEqual([tagOf(refOf(1)), tagOf(refOf(1), 1)]);
    const { store } = open();
    expect(await list(store)).toEqual([refOf(1).mac]);
    expect((await read(store, refOf(1))).equals(content(2))).toBe(true);
  });

  it('have a lock refreshed under a next tag, with one request, and one for the tag before', async () => {
    startWith(IMMUTABLE);
    const { store } = open();
    for (const number of [1, 2, 3, 4]) {
      asked();
      await put(store, lock, content(number, 300));
    }
    expect(asked()).toEqual([`PUT ${tagOf(lock, 3)}`, `DELETE ${tagOf(lock, 2)}`]);
    const { store: other } = open();
    expect(await list(other, 'lock')).toEqual([lock.mac]);
    expect((await read(other, lock)).equals(content(4, 300))).toBe(true);
    await store.delete(lock);
    expect(await tags()).toEqual([]);
  });

  it('show a lock to a reader that has listed before it was refreshed', async () => {
    startWith(IMMUTABLE);
    const { store } = open();
    await put(store, lock, content(1, 300));
    await put(store, lock, content(2, 300));
    const { store: other } = open();
    expect(await list(other, 'lock')).toEqual([lock.mac]);
    await put(store, lock, content(3, 300));
    expect((await read(other, lock)).equals(content(3, 300))).toBe(true);
  });

  it('without deletion: a lock of many generations goes with one tombstone', async () => {
    startWith({ ...IMMUTABLE, ...NO_DELETION });
    const { store } = open();
    for (const number of [1, 2, 3]) await put(store, lock, content(number, 300));
    asked();
    await store.delete(lock);
    expect(asked().filter((line) => line.startsWith('PUT'))).toEqual([`PUT ${tombstoneTagOf(lock, 2)}`]);
    expect(await list(open().store, 'lock')).toEqual([]);
  });

  it('without deletion: what was deleted is read by whoever has not listed, and by nobody else', async () => {
    startWith({ ...IMMUTABLE, ...NO_DELETION });
    await put(open().store, refOf(1), content(1));
    await open().store.delete(refOf(1));
    expect((await read(open().store, refOf(1))).equals(content(1))).toBe(true);
    const { store } = open();
    expect(await list(store)).toEqual([]);
    await expect(store.get(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('refuse a second configuration as any registry does', async () => {
    startWith(IMMUTABLE);
    await open().store.create(Buffer.from('one'));
    await expect(open().store.create(Buffer.from('two'))).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    // Of two at once, both of which have seen none.
    const isConfig = ({ route, reference }: Exchange) => route === 'manifest' && reference === 'CONFIG';
    plan.trouble = (at) =>
      isConfig(at) && at.method === 'GET' && at.ordinal === 0 ? { kind: 'respond', status: 404 } : undefined;
    registry.setFaults(plan);
    await expect(open().store.create(Buffer.from('two'))).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    expect(Buffer.from(await open().store.open()).toString()).toBe('one');
  });
});

describe('a repository that others use', () => {
  it('is not written to, in no way, and stays readable', async () => {
    startWith({});
    const { store: earlier } = open();
    await earlier.create(Buffer.from('config'));
    await put(earlier, refOf(1), content(1));
    await put(earlier, lock, content(1));
    await pushImage(registry.address, REPOSITORY, 'latest');
    const before = await tags();
    const { store } = open();
    await expect(put(store, refOf(2), content(2))).rejects.toMatchObject({
      code: 'REPOSITORY_SHARED',
      message: expect.stringContaining('allow_shared_repository=true'),
    });
    await expect(store.primeTags()).rejects.toMatchObject({ code: 'REPOSITORY_SHARED' });
    await expect(put(store, lock, content(2))).rejects.toMatchObject({ code: 'REPOSITORY_SHARED' });
    expect(await tags()).toEqual(before);
    expect(Buffer.from(await store.open()).toString()).toBe('config');
    expect((await read(store, refOf(1))).equals(content(1))).toBe(true);
    // What is its own it may still take away.
    await store.delete(lock);
    expect(await tags()).toEqual(before.filter((tag) => tag !== tagOf(lock)));
  });

  it('is not taken for a new store', async () => {
    await pushImage(registry.address, REPOSITORY, 'v1');
    const { store } = open();
    await expect(store.create(Buffer.from('x'))).rejects.toMatchObject({ code: 'REPOSITORY_SHARED' });
    expect(await tags()).toEqual(['v1']);
    await open({ allowSharedRepository: true }).store.create(Buffer.from('x'));
    expect(await tags()).toEqual(['CONFIG', 'v1']);
  });

  it.each([`sha256-${'ab'.repeat(32)}.sig`, 'kloset-oci-doctor-x', `sha256-${'ab'.repeat(32)}`])(
    'is not one for %s',
    async (tag) => {
      await pushImage(registry.address, REPOSITORY, tag);
      await open().store.create(Buffer.from('x'));
    },
  );

  it('where that is allowed, loses no manifest that one of its tags names', async () => {
    startWith({});
    const { store: owner } = open();
    await put(owner, refOf(1), content(1));
    const digest = await digestUnder(tagOf(refOf(1)));
    const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
    const manifest = await fetch(`${registry.url}/v2/${REPOSITORY}/manifests/${digest}`);
    await fetch(`${registry.url}/v2/${REPOSITORY}/manifests/kept`, {
      ...{ method: 'PUT', headers },
      body: await manifest.text(),
    });
    await open({ allowSharedRepository: true }).store.delete(refOf(1));
    expect(await tags()).toEqual(['kept']);
    // The same where only digests can be deleted.
    await put(open({ allowSharedRepository: true }).store, refOf(1), content(1));
    startWith({ byTag: 'refused' });
    await open({ allowSharedRepository: true }).store.delete(refOf(1));
    expect(await digestUnder('kept')).toBe(digest);
    expect(await list(open().store)).toEqual([]);
  });

  it('costs a backup no request to find out: a listing is what it does anyway', async () => {
    startWith({});
    const { store, stats } = open({ looksBeforePut: false });
    await list(store, 'state');
    await put(store, lock, content(1, 300));
    for (const number of [1, 2, 3]) await put(store, refOf(number), content(number));
    expect(stats().requests['tag-list']).toBe(1);
    expect(stats().requests['manifest-read']).toBeUndefined();
    // A process that does not list pays for one, once.
    const second = open({ looksBeforePut: false });
    await Promise.all([4, 5, 6].map((number) => put(second.store, refOf(number), content(number))));
    expect(second.stats().requests['tag-list']).toBe(1);
  });
});
