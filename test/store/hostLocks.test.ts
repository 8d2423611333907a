import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { HostLocks } from '../../src/store/hostLocks.ts';
import type { ObjectRef } from '../../src/store/objectNames.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { collect, refOf } from '../engine/rig.ts';

const lock = (number: number): ObjectRef => ({ ...refOf(number), type: 'lock' });
const all = async (names: AsyncIterable<string>) => {
  const found: string[] = [];
  for await (const name of names) found.push(name);
  return found.sort();
};
const source = (text: string) => bufferSource(Buffer.from(text), 'lock');

describe('the locks of a host', () => {
  let registry: RunningRegistry;
  let open: OpenOciStore;
  let others: OpenOciStore;
  let store: HostLocks;
  beforeEach(async () => {
    registry = await startRegistry();
    const location = `oci://${registry.address}/my/store`;
    open = openOciStore(location);
    others = openOciStore(location);
    store = new HostLocks(open.store);
  });
  afterEach(async () => {
    await open.close();
    await others.close();
    await registry.close();
  });

  const listed = () => all(store.list('lock'));
  const textOf = async (ref: ObjectRef) => (await collect((await store.get(ref)).stream)).toString();
  const tagsThere = () => all(others.store.list('lock'));

  it('are read as they were when they were listed, also where their owner has deleted them since', async () => {
    for (const number of [1, 2]) await others.store.put(lock(number), source(`of ${number}`));
    expect(await listed()).toEqual([lock(1).mac, lock(2).mac].sort());
    await others.store.delete(lock(1));
    const before = registry.countRequests();
    expect([await textOf(lock(1)), await textOf(lock(2))]).toEqual(['of 1', 'of 2']);
    expect(registry.countRequests()).toBe(before);
  });

  it('are read anew after that', async () => {
    await others.store.put(lock(1), source('first'));
    await listed();
    expect(await textOf(lock(1))).toBe('first');
    await others.store.put(lock(1), source('second'));
    expect(await textOf(lock(1))).toBe('second');
    await listed();
    await store.put(lock(1), source('third'));
    expect(await textOf(lock(1))).toBe('third');
    await listed();
    await store.delete(lock(1));
    await expect(store.get(lock(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('are not listed where they went while they were', async () => {
    for (const number of [1, 2]) await others.store.put(lock(number), source(`of ${number}`));
    // Listed, and gone when it is read.
    registry.setFaults({
      before: ({ method, route, reference }) =>
        method === 'GET' && route === 'manifest' && reference?.endsWith(lock(1).mac)
          ? { kind: 'respond', status: 404 }
          : undefined,
    });
    expect(await listed()).toEqual([lock(2).mac]);
  });

  it('that cannot be read are listed, so that the host is told', async () => {
    await others.store.put(lock(1), source('of 1'));
    registry.setFaults({
      before: ({ method, route }) =>
        method === 'GET' && route === 'manifest' ? { kind: 'respond', status: 403 } : undefined,
    });
    expect(await listed()).toEqual([lock(1).mac]);
    await expect(store.get(lock(1))).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  });

  it('go with it: those that it put and did not delete, and no others', async () => {
    for (const number of [1, 2, 3]) await others.store.put(lock(number), source('theirs'));
    for (const number of [4, 5, 6]) await store.put(lock(number), source('ours'));
    await store.put(refOf(7), source('a packfile'));
    await store.delete(lock(5));
    await store.release();
    expect(await tagsThere()).toEqual([1, 2, 3].map((number) => lock(number).mac).sort());
    const before = registry.countRequests();
    await store.close();
    expect(registry.countRequests()).toBe(before);
    expect(await all(others.store.list('packfile'))).toEqual([refOf(7).mac]);
  });

  it('go with it also where the put was cut off and has come to its end', async () => {
    const stop = new AbortController();
    registry.setFaults({
      before: ({ method, route }) =>
        method === 'PUT' && route === 'manifest' ? { kind: 'lose-response', silent: true } : undefined,
      answer: ({ method, route }, head) => {
        if (method === 'PUT' && route === 'manifest') stop.abort();
        return head;
      },
    });
    await expect(store.put(lock(1), source('ours'), { signal: stop.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    registry.setFaults(undefined);
    expect(await tagsThere()).toEqual([lock(1).mac]);
    await store.close();
    expect(await tagsThere()).toEqual([]);
  });

  it('that cannot be deleted stay known for the next try', async () => {
    await store.put(lock(1), source('ours'));
    registry.setFaults({
      before: ({ method }) => (method === 'GET' ? undefined : { kind: 'respond', status: 403 }),
    });
    await expect(store.release()).rejects.toThrow();
    registry.setFaults(undefined);
    await store.release();
    expect(await tagsThere()).toEqual([]);
  });
});
