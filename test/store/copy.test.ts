/** Copies between stores of all kinds: what arrives, what it costs, and what an interruption leaves. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exchange, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import type { TransferEvent } from '../../src/engine/events.ts';
import { VirtualClock } from '../../src/flow/clock.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { OBJECT_TYPES, type ObjectRef, objectRef, tagOf } from '../../src/store/objectNames.ts';
import type { ObjectStore } from '../../src/store/objectStore.ts';
import { type OpenPlace, openPlace } from '../../src/store/openPlace.ts';
import type { OciStoreOptions } from '../../src/store/openStore.ts';
import { copyAll } from '../../src/store/transfer.ts';
import { collect, isStart, refOf, refuse } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

const CONFIG = seededBytes(0, 600);
const LOCK: ObjectRef = { ...refOf(90), type: 'lock' };
/** One of each kind, among them one that rides in its manifest, an empty one, and two of equal content. */
const CONTENT: readonly (readonly [ObjectRef, Buffer])[] = [
  [refOf(1), seededBytes(1, 300_000)],
  [refOf(2), seededBytes(2, 1_500_000)],
  [refOf(3), seededBytes(1, 300_000)],
  [refOf(4), Buffer.alloc(0)],
  [{ ...refOf(5), type: 'ecc-packfile' }, seededBytes(5, 20_000)],
  [{ ...refOf(6), type: 'state' }, seededBytes(6, 3000)],
  [{ ...refOf(7), type: 'state' }, seededBytes(7, 70_000)],
  [{ ...refOf(8), type: 'ecc-state' }, seededBytes(8, 100)],
];
const TOTAL = CONTENT.reduce((sum, [, content]) => sum + content.length, 0);

let registry: RunningRegistry;
let folder: string;
let opened: OpenPlace[];
beforeEach(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'kloset-oci-copy-'));
  opened = [];
});
afterEach(async () => {
  await Promise.allSettled(opened.map((place) => place.close()));
  await registry.close();
  await rm(folder, { recursive: true });
});

const PLACES = {
  'a directory': (name: string) => join(folder, name),
  'a registry': (name: string) => `oci://${registry.address}/${name}/store`,
  'a layout': (name: string) => `oci-layout:${join(folder, name)}`,
};
const KINDS = Object.keys(PLACES) as (keyof typeof PLACES)[];

async function at(location: string, options: OciStoreOptions = {}): Promise<OpenPlace> {
  const place = await openPlace(location, { clock: new VirtualClock(), ...options });
  opened.push(place);
  return place;
}

async function filled(location: string, options: OciStoreOptions = {}): Promise<OpenPlace> {
  const place = await at(location, options);
  await place.store.create(CONFIG);
  for (const [ref, content] of [...CONTENT, [LOCK, seededBytes(90, 300)] as const])
    await place.store.put(ref, bufferSource(content, 'x'));
  return place;
}

async function everything(store: ObjectStore): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const type of OBJECT_TYPES)
    for await (const mac of store.list(type))
      found.set(tagOf({ type, mac }), await collect((await store.get({ type, mac })).stream));
  return found;
}

const expected = new Map(CONTENT.map(([ref, content]) => [tagOf(ref), content]));

describe.each(KINDS.flatMap((from) => KINDS.map((to) => [from, to] as const)))(
  'from %s to %s',
  (from, to) => {
    it('all arrives but locks, a second copy moves nothing, and another store is refused', async () => {
      const source = await filled(PLACES[from]('one'));
      const target = await at(PLACES[to]('two'));
      const events: TransferEvent[] = [];
      const first = await copyAll(source.store, target.store, { onEvent: (event) => events.push(event) });
      const mounts = from === 'a registry' && to === from;
      expect(first).toMatchObject({ objects: CONTENT.length, skipped: 0, bytes: mounts ? 0 : TOTAL });
      expect(first.mounted).toBe(mounts ? CONTENT.length : 0);
      await target.store.close();

      // What another process finds there.
      const copy = await at(PLACES[to]('two'));
      expect(await everything(copy.store)).toEqual(expected);
      expect(Buffer.from(await copy.store.open()).equals(CONFIG)).toBe(true);
      const moved = events.flatMap((event) => (event.type === 'bytes' ? [event.bytes] : []));
      expect(moved.reduce((sum, bytes) => sum + bytes, 0)).toBe(first.bytes);

      const again = await copyAll(source.store, copy.store);
      expect(again).toEqual({
        objects: CONTENT.length,
        skipped: CONTENT.length,
        mounted: 0,
        bytes: 0,
        resumedBytes: 0,
      });

      const other = await at(PLACES[to]('three'));
      await other.store.create(Buffer.from('another store'));
      await expect(copyAll(source.store, other.store)).rejects.toMatchObject({
        code: 'STORE_EXISTS',
        message: expect.stringContaining(other.store.location),
      });
      expect((await everything(other.store)).size).toBe(0);
    });
  },
);

describe.each(KINDS)('a copy to %s', (to) => {
  it('that broke off has left no state without its packfiles and no CONFIG, and goes on', async () => {
    const source = await filled(PLACES['a layout']('one'));
    const { store } = await at(PLACES[to]('two'));
    const put = store.put.bind(store);
    store.put = async (ref, ...rest) => {
      if (ref.mac === refOf(2).mac) throw new Error('the line is cut');
      return put(ref, ...rest);
    };
    await expect(copyAll(source.store, store, { concurrency: 1 })).rejects.toThrow('the line is cut');
    // No close: as if the process had been killed.
    const next = await at(PLACES[to]('two'));
    await expect(next.store.open()).rejects.toMatchObject({ code: 'STORE_MISSING' });
    const left = await everything(next.store);
    expect([...left.keys()].filter((tag) => tag.includes('state'))).toEqual([]);
    const result = await copyAll(source.store, next.store);
    expect(result).toMatchObject({ objects: CONTENT.length, skipped: left.size });
    expect(await everything(next.store)).toEqual(expected);
  });
});

describe('within one registry', () => {
  const isMount = (exchange: Exchange) => isStart(exchange) && exchange.query.has('mount');
  const count = (method: string, route: 'upload-start' | 'upload-session' | 'blob' | 'manifest' | 'tags') =>
    registry.countRequests({ method, route });
  const sentBytes = () =>
    registry
      .requestLog()
      .reduce((sum, { route, requestBytes }) => sum + (route === 'manifest' ? 0 : requestBytes), 0);

  it('blobs are mounted: no byte of an object moves, and three requests per object do it', async () => {
    await filled(PLACES['a registry']('one'));
    const [source, target] = [await at(PLACES['a registry']('one')), await at(PLACES['a registry']('two'))];
    registry.resetRequestLog();
    expect(await copyAll(source.store, target.store)).toMatchObject({ mounted: CONTENT.length, bytes: 0 });
    const objects = CONTENT.length;
    expect({
      manifestsRead: count('GET', 'manifest'),
      manifestsWritten: count('PUT', 'manifest'),
      blobsRead: count('GET', 'blob'),
    }).toEqual({
      // CONFIG of the source; and of the target: before it is written, and after, whether it was.
      manifestsRead: objects + 1 + 2,
      manifestsWritten: objects + 1,
      blobsRead: 0,
    });
    // CONFIG itself and the two-byte configuration blob go up as bytes.
    expect(sentBytes()).toBe(CONFIG.length + 2);
    expect(count('POST', 'upload-start')).toBe(objects + 2);
  });

  it('one that mounts nothing gets the bytes, is asked few times, and keeps no session', async () => {
    registry.setFaults({
      before: (exchange) => {
        // As the specification has it for what cannot be mounted: an ordinary session.
        if (isMount(exchange)) exchange.query.delete('mount');
        return undefined;
      },
    });
    const source = await filled(PLACES['a registry']('one'));
    const target = await at(PLACES['a registry']('two'));
    registry.resetRequestLog();
    const result = await copyAll(source.store, target.store, { concurrency: 1 });
    expect(result).toMatchObject({ objects: CONTENT.length, mounted: 0, bytes: TOTAL });
    expect(await everything((await at(PLACES['a registry']('two'))).store)).toEqual(expected);
    expect(count('DELETE', 'upload-session')).toBe(3);
    expect(registry.openSessions()).toEqual([]);
  });

  it.each([
    ['refuses to mount', isMount],
    ['says that it has mounted, and has not', undefined],
  ] as const)('one that %s gets the bytes', async (_, isRefused) => {
    const source = await filled(PLACES['a registry']('one'));
    registry.setFaults({
      before: (exchange) => {
        if (isRefused?.(exchange)) return refuse(403, 'DENIED', 'no pull from there');
        return isMount(exchange) && !isRefused ? { kind: 'respond', status: 201 } : undefined;
      },
    });
    const target = await at(PLACES['a registry']('two'));
    expect(await copyAll(source.store, target.store)).toMatchObject({ objects: CONTENT.length, mounted: 0 });
    expect(await everything((await at(PLACES['a registry']('two'))).store)).toEqual(expected);
  });

  it('from one registry to another nothing is mounted, and each blob is read once', async () => {
    const other = await startRegistry();
    try {
      const source = await filled(PLACES['a registry']('one'));
      const target = await at(`oci://${other.address}/one/store`);
      registry.resetRequestLog();
      expect(await copyAll(source.store, target.store)).toMatchObject({ mounted: 0, bytes: TOTAL });
      // What rides in its manifest is not read as a blob; an empty object has nothing to ride.
      const blobs = CONTENT.filter(([, { length }]) => length > 4096 || length === 0);
      expect(count('GET', 'blob')).toBe(blobs.length);
      expect(other.requestLog().some(({ path }) => path.includes('mount'))).toBe(false);
      expect(await everything(target.store)).toEqual(expected);
    } finally {
      await other.close();
    }
  });
});

describe('a copy', () => {
  it('lists states before packfiles, so that a backup that runs meanwhile is copied whole or not at all', async () => {
    const source = (await filled(PLACES['a directory']('one'))).store;
    const [late, lateState] = [refOf(20), objectRef('state', refOf(21).mac)];
    const inner = source.list.bind(source);
    const listed: string[] = [];
    source.list = async function* (type) {
      yield* inner(type);
      listed.push(type);
      // A backup ends as soon as the first of both kinds was listed.
      if (
        listed.includes('state') !== listed.includes('packfile') &&
        (type === 'state' || type === 'packfile')
      ) {
        await source.put(late, bufferSource(seededBytes(20, 500), 'x'));
        await source.put(lateState, bufferSource(seededBytes(21, 500), 'x'));
      }
    };
    const target = new DirectoryStore(join(folder, 'two'));
    await copyAll(source as DirectoryStore, target);
    expect((await everything(target)).has(tagOf(lateState))).toBe(false);
  });

  it('of a damaged object names it, and leaves the target without it, a state or a CONFIG', async () => {
    const source = await filled(PLACES['a registry']('one'));
    const manifest = await fetch(`${registry.url}/v2/one/store/manifests/${tagOf(refOf(2))}`);
    const { layers } = (await manifest.json()) as { layers: { digest: string }[] };
    await registry.corruptBlob('one/store', layers[0]?.digest ?? '', seededBytes(99, 1_500_000));
    const other = await startRegistry();
    try {
      // A registry takes the bytes in one read of just their length, a layout reads on until there are no more.
      for (const location of [PLACES['a layout']('two'), `oci://${other.address}/two/store`]) {
        const target = await at(location);
        await expect(copyAll(source.store, target.store), location).rejects.toMatchObject({
          code: 'BLOB_CORRUPT',
          message: expect.stringContaining(refOf(2).mac),
        });
        await expect(target.store.stat(refOf(2))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
        await expect(target.store.open()).rejects.toMatchObject({ code: 'STORE_MISSING' });
      }
    } finally {
      await other.close();
    }
  });

  it('of an object beyond memory survives an upload that breaks in the middle, checked as a whole', async () => {
    const other = await startRegistry();
    try {
      const options = { memoryBytes: 32 * 1024 * 1024, chunkBytes: 2 * 1024 * 1024 };
      const source = await at(PLACES['a layout']('one'));
      const content = seededBytes(1, 12_000_001);
      await source.store.create(CONFIG);
      await source.store.put(refOf(1), bufferSource(content, 'x'));
      other.setFaults({
        before: ({ method, route, ordinal }) =>
          method === 'PATCH' && route === 'upload-session' && ordinal === 2
            ? { kind: 'reset', afterRequestBytes: 500_000 }
            : undefined,
      });
      const target = await at(`oci://${other.address}/one/store`, options);
      expect(await copyAll(source.store, target.store)).toMatchObject({ objects: 1, bytes: content.length });
      expect(other.countRequests({ method: 'PATCH', route: 'upload-session' })).toBeGreaterThan(6);
      expect((await collect((await target.store.get(refOf(1))).stream)).equals(content)).toBe(true);
    } finally {
      await other.close();
    }
  });
});
