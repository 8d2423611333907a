import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { VirtualClock } from '../../src/flow/clock.ts';
import { CachedStore } from '../../src/store/cachedStore.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { parseReadTraces } from '../../src/store/reads/readTrace.ts';
import { TracedStore } from '../../src/store/tracedStore.ts';
import { collect, refOf } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

describe('a store that is traced', () => {
  let folder: string;
  let path: string;
  let clock: VirtualClock;
  let store: TracedStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
    path = join(folder, 'trace');
    clock = new VirtualClock();
    const directory = new DirectoryStore(join(folder, 'store'));
    store = new TracedStore(new CachedStore(directory), path, { clock });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const trace = async () => {
    await store.close();
    return parseReadTraces(await readFile(path, 'utf8'))[0];
  };

  it('notes every read with its time, whole or in part, from memory or not', async () => {
    const state = { ...refOf(2), type: 'state' as const };
    await store.put(refOf(1), bufferSource(seededBytes(1, 50_000), 'x'));
    await store.put(state, bufferSource(seededBytes(2, 700), 'x'));
    await clock.sleep(5);
    const range = { offset: 1000, length: 200 };
    const first = await store.get(refOf(1), { range });
    await clock.sleep(3);
    for await (const _ of first.stream) await clock.sleep(1);
    const second = await store.get(refOf(1), { range });
    expect(second.parts).toBeDefined();
    await collect((await store.get(state)).stream);
    expect(await trace()).toMatchObject({
      objects: [
        { object: 0, type: 'packfile', bytes: 50_000 },
        { object: 1, type: 'state', bytes: 700 },
      ],
      reads: [
        { startUs: 5000, durationUs: 4000, type: 'packfile', object: 0, offset: 1000, length: 200 },
        { startUs: 9000, durationUs: 0, type: 'packfile', object: 0, offset: 1000, length: 200 },
        { startUs: 9000, durationUs: 0, type: 'state', object: 1, offset: 0, length: 700 },
      ],
    });
  });

  it('notes what failed, and what its reader left', async () => {
    await store.put(refOf(1), bufferSource(seededBytes(1, 500_000), 'x'));
    await expect(store.get(refOf(7))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    for await (const _ of (await store.get(refOf(1))).stream) break;
    const reads = (await trace())?.reads ?? [];
    expect(reads.map(({ object, length, error }) => [object, length, error])).toEqual([
      [0, 0, 'OBJECT_MISSING'],
      [1, 128 * 1024, undefined],
    ]);
  });
});
