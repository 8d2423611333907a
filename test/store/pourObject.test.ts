/** Objects on their way from a registry into files, through the hash threads. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { type ObjectRef, objectRef } from '../../src/store/objectNames.ts';
import { type OciStoreOptions, type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { storedSource } from '../../src/store/storedSource.ts';
import { pullAll } from '../../src/store/transfer.ts';
import { FAST_RETRY } from '../engine/rig.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

const MIB = 1024 * 1024;
const mac = (number: number) => number.toString(16).padStart(64, '0');
const refOf = (number: number): ObjectRef => objectRef('packfile', mac(number));

let registry: RunningRegistry;
let folder: Scratch;
let open: OpenOciStore;
let target: DirectoryStore;
beforeEach(async () => {
  registry = await startRegistry();
  folder = await scratch('pour');
  target = new DirectoryStore(join(folder.path, 'store'));
});
afterEach(async () => {
  await open?.close();
  await registry.close();
  await folder.remove();
});

async function hold(sizes: readonly number[], options: OciStoreOptions = {}): Promise<Buffer[]> {
  open = openOciStore(`oci://${registry.address}/my/store`, { retry: FAST_RETRY, ...options });
  const contents = sizes.map((bytes, number) => seededBytes(number, bytes));
  await open.store.create(seededBytes(99, 100));
  for (const [number, content] of contents.entries())
    await open.store.put(refOf(number), bufferSource(content, 'packfile'));
  return contents;
}

const fileOf = (number: number) => readFile(target.pathOf(refOf(number)));
const leftovers = async () =>
  (await readdir(folder.path, { recursive: true })).filter((name) => name.includes('.tmp-'));

/** Windows of the engine that nobody has given back. */
const usedBytes = () => open.coordinator.windows.budget.usedBytes;

describe('pulling', () => {
  it.each(['native', 'wasm'] as const)('writes what the registry has, hashed by %s', async (hasher) => {
    const contents = await hold([MIB, 5 * MIB + 1, 3 * MIB - 1, 100, 0], { hasher });
    await pullAll(open.store, target);
    for (const [number, content] of contents.entries())
      expect((await fileOf(number)).equals(content)).toBe(true);
    expect(usedBytes()).toBe(0);
    expect(await leftovers()).toEqual([]);
  });

  it('writes an object of several blobs', async () => {
    const [content] = await hold([5 * MIB + 77], { partBytes: 2 * MIB });
    await pullAll(open.store, target);
    expect((await fileOf(0)).equals(content as Buffer)).toBe(true);
    expect(registry.countRequests({ method: 'GET', route: 'blob' })).toBeGreaterThanOrEqual(3);
  });

  it('tells how far it is', async () => {
    await hold([3 * MIB]);
    let bytes = 0;
    await pullAll(open.store, target, {
      onEvent: (event) => {
        if (event.type === 'bytes') bytes += event.bytes;
      },
    });
    expect(bytes).toBe(3 * MIB);
  });

  it('goes on at its byte where a connection breaks, in the same windows', async () => {
    const [content] = await hold([5 * MIB]);
    registry.setFaults({
      before: ({ route, ordinal }) =>
        route === 'blob' && ordinal < 3 ? { kind: 'cut-response', afterResponseBytes: 1_500_000 } : undefined,
    });
    await pullAll(open.store, target);
    expect((await fileOf(0)).equals(content as Buffer)).toBe(true);
    expect(registry.countRequests({ method: 'GET', route: 'blob' })).toBe(4);
  });

  it('comes once more where bytes are wrong, and fails where they stay wrong, without a file', async () => {
    const [content = Buffer.alloc(0)] = await hold([2 * MIB]);
    const [blob] = await open.store.blobsOf(refOf(0));
    const wrong = Buffer.from(content);
    wrong[MIB] = (wrong[MIB] ?? 0) ^ 1;
    await registry.corruptBlob('my/store', blob?.digest ?? '', wrong);
    registry.resetRequestLog();
    await expect(pullAll(open.store, target)).rejects.toMatchObject({
      code: 'BLOB_CORRUPT',
      details: { object: `packfile ${mac(0)}`, tried: 'fetched twice' },
    });
    expect(registry.countRequests({ method: 'GET', route: 'blob' })).toBe(2);
    await expect(fileOf(0)).rejects.toMatchObject({ code: 'ENOENT' });
    expect([usedBytes(), await leftovers()]).toEqual([0, []]);

    registry.setFaults({
      before: ({ route, ordinal }) => {
        if (route === 'blob' && ordinal === 1)
          void registry.corruptBlob('my/store', blob?.digest ?? '', content);
        return undefined;
      },
    });
    await pullAll(open.store, target);
    expect((await fileOf(0)).equals(content)).toBe(true);
  });

  it('survives a hash thread that dies', async () => {
    const [content] = await hold([8 * MIB], { hasher: 'native' });
    let crashed: Promise<void> | undefined;
    await pullAll(open.store, target, {
      onEvent: (event) => {
        if (event.type === 'bytes') crashed ??= open.coordinator.hasher.crashWorker();
      },
    });
    await crashed;
    expect((await fileOf(0)).equals(content as Buffer)).toBe(true);
    expect(usedBytes()).toBe(0);
  });

  it('is cancelled, and gives its memory back', async () => {
    await hold([8 * MIB, 8 * MIB, 8 * MIB]);
    const stop = new AbortController();
    const pulled = pullAll(open.store, target, {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'bytes') stop.abort();
      },
    });
    await expect(pulled).rejects.toMatchObject({ code: 'CANCELLED' });
    expect([usedBytes(), await leftovers()]).toEqual([0, []]);
  });

  it('keeps within its windows, however many objects are under way', async () => {
    const contents = await hold(
      Array.from({ length: 12 }, () => 3 * MIB),
      { memoryBytes: 16 * MIB },
    );
    const { windows } = open.coordinator;
    expect(windows.budget.capacityBytes).toBe(4 * MIB);
    await pullAll(open.store, target, { concurrency: 12 });
    for (const [number, content] of contents.entries())
      expect((await fileOf(number)).equals(content)).toBe(true);
    expect(windows.touchedBytes).toBeLessThanOrEqual(4 * MIB);
  });

  it('names the file that cannot be written', async () => {
    await hold([2 * MIB]);
    const source = await storedSource(open.store, refOf(0));
    const { open: openFile } = await import('node:fs/promises');
    const full = await openFile('/dev/full', 'w');
    const signal = new AbortController().signal;
    await expect(source.pour?.({ file: full, path: '/mnt/full/x', signal })).rejects.toMatchObject({
      code: 'DISK_FULL',
      details: { object: '/mnt/full/x' },
    });
    await full.close();
    expect(usedBytes()).toBe(0);
  });
});
