import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { KeptStates } from '../../src/store/keptStates.ts';
import type { ObjectRef } from '../../src/store/objectNames.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { collect, refOf } from '../engine/rig.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

const CONFIG = Buffer.from('the configuration');
const SIX_DAYS_MS = 6 * 24 * 3_600_000;
const state = (number: number): ObjectRef => ({ ...refOf(number), type: 'state' });
const content = (number: number) => seededBytes(number, 3_000_000 + number);
const source = (number: number) => bufferSource(content(number), `state ${number}`);

describe('states that could not be stored', () => {
  let folder: Scratch;
  let registry: RunningRegistry;
  let remarks: string[];
  const closing: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    folder = await scratch('kept-states');
    registry = await startRegistry();
    remarks = [];
    const first = open();
    await first.create(CONFIG);
  });
  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()));
    await registry.close();
    await folder.remove();
  });

  /** As the next process would. */
  function open(repository = 'my/store'): KeptStates {
    const opened = openOciStore(`oci://${registry.address}/${repository}`, { looksBeforePut: false });
    closing.push(() => opened.close());
    return new KeptStates(opened.store, {
      folder: folder.path,
      onRemark: (text) => remarks.push(text),
    });
  }

  async function reopen(repository?: string): Promise<KeptStates> {
    const store = open(repository);
    await store.open();
    return store;
  }

  const kept = async () =>
    (await readdir(folder.path, { recursive: true })).filter((name) => name.endsWith('.state'));
  const only = async () => join(folder.path, (await kept())[0] as string);

  const refuseStates = () =>
    registry.setFaults({
      before: ({ method, route, reference }) =>
        method === 'PUT' && route === 'manifest' && reference?.startsWith('state-')
          ? { kind: 'respond', status: 403 }
          : undefined,
    });

  const allow = () => registry.setFaults(undefined);

  /** A backup whose state could not be stored. */
  async function fail(number: number): Promise<void> {
    const store = await reopen();
    await store.put(refOf(90), source(90));
    refuseStates();
    await expect(store.put(state(number), source(number))).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    allow();
  }

  /** The tags that were put since, in order. */
  const written = () =>
    registry
      .requestLog()
      .filter(({ method, route, status }) => method === 'PUT' && route === 'manifest' && status === 201)
      .map(({ path }) => path.slice(path.lastIndexOf('/') + 1));

  it('are stored before anything else is written by the next process, once', async () => {
    await fail(1);
    registry.resetRequestLog();
    const store = await reopen();
    await Promise.all([3, 4].map((number) => store.put(refOf(number), source(number))));
    const [first, ...others] = written();
    expect(first).toBe(`state-${state(1).mac}`);
    expect(others.sort()).toEqual([3, 4].map((number) => `packfiles-${refOf(number).mac}`).sort());
    expect(await collect((await store.get(state(1))).stream)).toEqual(Buffer.from(content(1)));
    expect(await kept()).toEqual([]);
    expect(remarks).toEqual([
      expect.stringContaining('it is kept'),
      expect.stringContaining('is stored now'),
    ]);
  });

  it('are in the list of the next process', async () => {
    await fail(1);
    const found: string[] = [];
    for await (const mac of (await reopen()).list('state')) found.push(mac);
    expect(found).toEqual([state(1).mac]);
  });

  it('keep others from being written as long as they cannot be, and nobody from reading', async () => {
    await fail(1);
    refuseStates();
    const store = await reopen();
    let released = 0;
    const held = { ...source(2), held: { release: () => released++ } };
    await expect(store.put(refOf(2), held)).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringContaining(state(1).mac),
    });
    expect(released).toBe(1);
    const found: string[] = [];
    for await (const mac of store.list('state')) found.push(mac);
    expect(found).toEqual([]);
    await store.put({ ...refOf(5), type: 'lock' }, source(5));
    allow();
    // Tried again by the same process, too.
    await store.put(refOf(2), source(2));
    expect(await kept()).toEqual([]);
  });

  it('are none where they were stored', async () => {
    const store = await reopen();
    await store.put(refOf(90), source(90));
    await store.put(state(1), source(1));
    expect([await kept(), remarks]).toEqual([[], []]);
  });

  it.each([
    ['rm', []],
    ['maintenance', ['list', 'put']],
  ])('are not kept of %s', async (_, before) => {
    const store = await reopen();
    if (before.includes('list')) for await (const _mac of store.list('packfile'));
    if (before.includes('put')) await store.put(refOf(90), source(90));
    refuseStates();
    await expect(store.put(state(1), source(1))).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect([await kept(), remarks]).toEqual([[], []]);
  });

  it('go into no other store, not even into a new one in the same place', async () => {
    await fail(1);
    await open('another/store').create(CONFIG);
    await (await reopen('another/store')).put(refOf(2), source(2));
    await registry.close();
    registry = await startRegistry({ port: Number(registry.address.split(':')[1]) });
    const anew = open();
    await anew.create(Buffer.from('another configuration'));
    await anew.put(refOf(2), source(2));
    expect(written().filter((tag) => tag.startsWith('state-'))).toEqual([]);
    expect(await kept()).toHaveLength(1);
  });

  it('are dropped where the file is damaged', async () => {
    await fail(1);
    await writeFile(await only(), content(1));
    registry.resetRequestLog();
    await (await reopen()).put(refOf(2), source(2));
    expect(written()).toEqual([`packfiles-${refOf(2).mac}`]);
    expect(await kept()).toEqual([]);
  });

  it('are given up, and told of, once maintenance may have deleted what they name', async () => {
    await fail(1);
    const then = new Date(Date.now() - SIX_DAYS_MS - 1000);
    await utimes(await only(), then, then);
    registry.resetRequestLog();
    await (await reopen()).put(refOf(2), source(2));
    expect(written()).toEqual([`packfiles-${refOf(2).mac}`]);
    expect(remarks.at(-1)).toContain('delete the cache of plakar');
  });

  it('are stored without being kept where the folder cannot be written', async () => {
    const store = open();
    const blocked = new KeptStates(store, {
      // A file in the place of the folder stops also root.
      folder: join(import.meta.filename, 'states'),
      onRemark: (text) => remarks.push(text),
    });
    await blocked.open();
    await blocked.put(refOf(90), source(90));
    await blocked.put(state(1), source(1));
    expect(remarks).toEqual([expect.stringContaining('cannot be kept')]);
    expect((await store.stat(state(1))).bytes).toBe(content(1).length);
  });
});
