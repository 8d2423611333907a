import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { CachedStore } from '../../src/store/cachedStore.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { EMPTY_CONFIG } from '../../src/store/manifest.ts';
import { type ObjectRef, tagOf } from '../../src/store/objectNames.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { collect, FAST_RETRY, MIB, refOf, refuse } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { describeObjectStore } from './objectStoreConformance.ts';

const EMPTY_CONFIG_BLOB = { digest: EMPTY_CONFIG.digest, size: EMPTY_CONFIG.content.length };

describeObjectStore('a directory with cached reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
  const store = new CachedStore(new DirectoryStore(join(folder, 'store')));
  return { store, close: () => store.close().then(() => rm(folder, { recursive: true })) };
});

describeObjectStore('a registry with cached reads', async () => {
  const registry = await startRegistry();
  const open = openOciStore(`oci://${registry.address}/my/store`);
  const store = new CachedStore(open.store);
  return {
    store,
    close: async () => {
      await store.close();
      await open.close();
      await registry.close();
    },
  };
});

describe('reads through the cache, from a registry', () => {
  const BYTES = 12 * MIB + 345;
  const content = seededBytes(1, BYTES);
  let registry: RunningRegistry;
  let writer: OpenOciStore;
  let open: OpenOciStore;
  let store: CachedStore;
  beforeEach(async () => {
    registry = await startRegistry();
    const location = `oci://${registry.address}/my/store`;
    writer = openOciStore(location);
    await writer.store.put(refOf(1), bufferSource(content, 'packfile'));
    open = openOciStore(location, { retry: FAST_RETRY });
    store = new CachedStore(open.store);
    registry.resetRequestLog();
  });
  afterEach(async () => {
    await store.close();
    await Promise.all([open.close(), writer.close()]);
    await registry.close();
  });

  const read = async (offset: number, length: number, ref: ObjectRef = refOf(1)) =>
    collect((await store.get(ref, { range: { offset, length } })).stream);
  const blobReads = () => registry.countRequests({ method: 'GET', route: 'blob' });
  const manifestReads = () => registry.countRequests({ method: 'GET', route: 'manifest' });

  it('cost one request for many of them, and give the same bytes', async () => {
    let at = 0;
    for (let count = 0; at < BYTES; count++) {
      const length = Math.min(1 + ((count * 7919) % 60_000), BYTES - at);
      expect((await read(at, length)).equals(content.subarray(at, at + length))).toBe(true);
      at += length;
    }
    expect(store.readStats.reads).toBeGreaterThan(400);
    expect(blobReads()).toBeLessThanOrEqual(14);
    expect(manifestReads()).toBe(1);
    expect(store.readStats).toMatchObject({ requests: blobReads(), fetchedBytes: BYTES });
  });

  it('are shared when many ask at once', async () => {
    const all = Array.from({ length: 50 }, (_, at) => read(5 * MIB + at * 1000, 1000));
    const found = Buffer.concat(await Promise.all(all));
    expect(found.equals(content.subarray(5 * MIB, 5 * MIB + 50_000))).toBe(true);
    const { requests, aheadRequests } = store.readStats;
    expect([manifestReads(), requests - aheadRequests]).toEqual([1, 1]);
  });

  it('end at the end of the object, and have nothing beyond it', async () => {
    expect((await read(BYTES - 5, 100)).equals(content.subarray(BYTES - 5))).toBe(true);
    await expect(read(BYTES, 1)).rejects.toMatchObject({ code: 'RANGE_INVALID' });
    await expect(read(0, 1, refOf(2))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('survive a connection that breaks, and report one that stays broken', async () => {
    registry.setFaults({
      before: ({ route, ordinal }) =>
        route === 'blob' && ordinal === 0 ? { kind: 'cut-response', afterResponseBytes: 1000 } : undefined,
    });
    expect((await read(MIB, 1000)).equals(content.subarray(MIB, MIB + 1000))).toBe(true);
    registry.setFaults({ before: ({ route }) => (route === 'blob' ? refuse(500) : undefined) });
    await expect(read(9 * MIB, 10)).rejects.toMatchObject({ code: 'REGISTRY_FAILED' });
    registry.setFaults(undefined);
    expect((await read(9 * MIB, 10)).equals(content.subarray(9 * MIB, 9 * MIB + 10))).toBe(true);
  });

  it('check a whole object against its digest, long or short', async () => {
    const small = content.subarray(0, 100_000);
    await writer.store.put(refOf(2), bufferSource(small, 'small'));
    expect((await collect((await store.get(refOf(2))).stream)).equals(small)).toBe(true);
    expect((await read(7, 10, refOf(2))).equals(small.subarray(7, 17))).toBe(true);
    expect(blobReads()).toBe(1);
    await writer.store.put(refOf(3), bufferSource(seededBytes(3, 90_000), 'to be damaged'));
    for (const number of [1, 3]) {
      const manifest = await (
        await fetch(`${registry.url}/v2/my/store/manifests/${tagOf(refOf(number))}`)
      ).json();
      const [layer] = (manifest as { layers: { digest: string; size: number }[] }).layers;
      await registry.corruptBlob('my/store', layer?.digest ?? '', seededBytes(99, layer?.size ?? 0));
      const content = await store.get(refOf(number));
      await expect(collect(content.stream)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
    }
  });

  it('find out about a packfile of the Go connector with one HEAD', async () => {
    const tag = tagOf(refOf(1));
    const manifest = (await (await fetch(`${registry.url}/v2/my/store/manifests/${tag}`)).json()) as {
      layers: { digest: string }[];
    };
    const theirs = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...EMPTY_CONFIG_BLOB },
      layers: [{ mediaType: 'application/octet-stream', digest: manifest.layers[0]?.digest, size: 0 }],
    };
    await fetch(`${registry.url}/v2/my/store/manifests/${tagOf(refOf(9))}`, {
      method: 'PUT',
      body: JSON.stringify(theirs),
      headers: { 'content-type': theirs.mediaType },
    });
    registry.resetRequestLog();
    for (const at of [0, 4, 8]) expect(await read(at * MIB, 10, refOf(9))).toHaveLength(10);
    expect(registry.countRequests({ method: 'HEAD' })).toBe(1);
    expect(manifestReads()).toBe(1);
  });

  it('see what replaced an object, and not what is gone', async () => {
    await read(0, 10);
    await store.delete(refOf(1));
    await expect(read(0, 10)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    const other = seededBytes(77, BYTES);
    await store.put(refOf(1), bufferSource(other, 'another'));
    expect((await read(0, 10)).equals(other.subarray(0, 10))).toBe(true);
    expect(store.readStats.usedBytes).toBeLessThan(4 * MIB);
  });

  it('that are under way are not hurt by a delete', async () => {
    registry.setFaults({
      before: ({ route, ordinal }) =>
        route === 'blob' && ordinal === 0 ? { kind: 'cut-response', afterResponseBytes: 10 } : undefined,
    });
    const { stream } = await store.get(refOf(1), { range: { offset: 100, length: 5 * MIB } });
    const whole = collect(stream);
    await store.delete(refOf(1));
    expect((await whole).equals(content.subarray(100, 100 + 5 * MIB))).toBe(true);
    await expect(read(100, 10)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('of states and locks are not kept', async () => {
    for (const type of ['state', 'lock'] as const) {
      const ref = { ...refOf(5), type };
      await writer.store.put(ref, bufferSource(seededBytes(5, 10_000), type));
      for (let count = 0; count < 3; count++) expect(await read(0, 10, ref)).toHaveLength(10);
    }
    expect(store.readStats.reads).toBe(0);
    expect(blobReads()).toBe(6);
  });

  it('are cancelled one by one, and all together when the store is closed', async () => {
    registry.setFaults({
      before: ({ route }) =>
        route === 'blob' ? { kind: 'stall-response', afterResponseBytes: 0 } : undefined,
    });
    const stop = new AbortController();
    const cancelled = store.get(refOf(1), { range: { offset: 0, length: 10 }, signal: stop.signal });
    const stays = store.get(refOf(1), { range: { offset: 5, length: 10 } });
    const reads = [collect((await cancelled).stream), collect((await stays).stream)];
    stop.abort();
    const ends = reads.map((read) => expect(read).rejects.toMatchObject({ code: 'CANCELLED' }));
    await ends[0];
    await store.close();
    await ends[1];
  });
});
