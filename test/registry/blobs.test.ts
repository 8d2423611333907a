/** Reads of blobs, commits and deletions that go wrong. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Exchange, FaultPlan, RunningRegistry } from '../../src/emulator/index.ts';
import * as r from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

const content = seededBytes(1, 3 * r.MIB);
type At = Parameters<NonNullable<FaultPlan['before']>>[0];
const isRead = ({ method, route }: At) => method === 'GET' && route === 'blob';
const isManifestPut = ({ method, route }: At) => method === 'PUT' && route === 'manifest';
const isDelete = ({ method, route }: At) => method === 'DELETE' && route === 'manifest';

describe('what the registry holds', () => {
  let rig: r.Rig;
  let storage: RunningRegistry | undefined;
  beforeEach(async () => {
    rig = await r.startRig();
    await rig.put(1, content);
    rig.spent();
  });
  afterEach(async () => {
    await rig.close();
    await storage?.close();
    storage = undefined;
  });

  const readPart = async (offset: number, length: number) => {
    const got = await rig.open.store.get(r.refOf(1), { range: { offset, length } });
    return r.collect(got.stream);
  };
  /** The same blob on another host, as registries keep their blobs in cloud storage. */
  const redirect = async () => {
    const other = await r.startRig();
    await other.put(1, content);
    storage = other.registry;
    await other.open.close();
    rig.registry.setFaults({
      before: (at) => {
        const location = `http://localhost:${storage?.port}${at.path}?signature=a%2Fb`;
        return isRead(at) ? { kind: 'respond', status: 307, headers: { location } } : undefined;
      },
    });
    return other.registry;
  };

  test('item 25: a redirect to a storage host is followed', async () => {
    await redirect();
    expect((await rig.read(1)).equals(content)).toBe(true);
    expect((await readPart(5, 1000)).equals(content.subarray(5, 1005))).toBe(true);
  });

  test('item 25: a signed URL that ran out is asked for again', async () => {
    const other = await redirect();
    other.setFaults({ before: r.on(isRead, r.refuse(403, undefined, '<Error>AccessDenied</Error>'), [0]) });
    expect((await rig.read(1)).equals(content)).toBe(true);
    expect(other.countRequests({ method: 'GET', route: 'blob' })).toBe(2);
  });

  test('item 25: a storage host that refuses for good is an error', async () => {
    const other = await redirect();
    other.setFaults({ before: r.on(isRead, r.refuse(403)) });
    await expect(rig.read(1)).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect(other.countRequests()).toBeLessThan(10);
  });

  test('item 25: redirects in a circle end', async () => {
    rig.registry.setFaults({
      before: (at) =>
        isRead(at) ? { kind: 'respond', status: 302, headers: { location: at.path } } : undefined,
    });
    await expect(rig.read(1)).rejects.toMatchObject({ code: 'REGISTRY_FOREIGN' });
    expect(rig.spent()['blob-read']).toBeLessThanOrEqual(6);
  });

  test('item 25: 200 with everything in place of 206 is cut to the range', async () => {
    rig.registry.setFaults({
      before: (at) => (isRead(at) ? { kind: 'respond', status: 200, body: content } : undefined),
    });
    expect((await readPart(r.MIB + 3, 70_000)).equals(content.subarray(r.MIB + 3, r.MIB + 70_003))).toBe(
      true,
    );
  });

  test.each(['bytes 0-9/3145728', 'nonsense', ''])(
    'item 25: 206 with Content-Range "%s" is asked for once more, and refused',
    async (range) => {
      rig.registry.setFaults({
        answer: (at, answer) => (isRead(at) ? r.withHeaders(answer, { 'content-range': range }) : undefined),
      });
      await expect(readPart(5, 10)).rejects.toMatchObject({ code: 'RANGE_INVALID' });
      expect(rig.spent()['blob-read']).toBe(2);
    },
  );

  test('item 25: a cache that answers another range once does no harm', async () => {
    rig.registry.setFaults({
      answer: (at, answer) =>
        isRead(at) && at.ordinal === 0
          ? r.withHeaders(answer, { 'content-range': 'bytes 0-9/3145728' })
          : undefined,
    });
    expect((await readPart(5, 10)).equals(content.subarray(5, 15))).toBe(true);
    expect(rig.spent()['blob-read']).toBe(2);
  });

  test('item 25: a body that is cut short is taken up where it broke', async () => {
    rig.registry.setFaults({
      before: (at) =>
        isRead(at) && at.ordinal < 5 ? { kind: 'cut-response', afterResponseBytes: 400_000 } : undefined,
    });
    expect((await rig.read(1)).equals(content)).toBe(true);
    expect(rig.spent()['blob-read']).toBe(6);
  });

  test('item 25: a part that is cut short goes on at its byte, and no byte comes twice', async () => {
    const ranges: unknown[] = [];
    rig.registry.setFaults({
      before: (at) => {
        if (isRead(at)) ranges.push(at.headers.range);
        return isRead(at) && at.ordinal < 2 ? { kind: 'cut-response', afterResponseBytes: 1000 } : undefined;
      },
    });
    expect((await readPart(500, 70_000)).equals(content.subarray(500, 70_500))).toBe(true);
    expect(ranges).toEqual(['bytes=500-70499', 'bytes=1500-70499', 'bytes=2500-70499']);
  });

  test('item 25: 200 with everything to a read that goes on is cut to what is missing', async () => {
    rig.registry.setFaults({
      before: (at) => {
        if (!isRead(at)) return undefined;
        if (at.ordinal === 0) return { kind: 'cut-response', afterResponseBytes: 400_000 };
        return { kind: 'respond', status: 200, body: content };
      },
    });
    expect((await rig.read(1)).equals(content)).toBe(true);
    expect(rig.spent()['blob-read']).toBe(2);
  });

  test('item 25: a signed URL that runs out while a broken read goes on is asked for again', async () => {
    const other = await redirect();
    const ranges: unknown[] = [];
    other.setFaults({
      before: (at) => {
        if (!isRead(at)) return undefined;
        ranges.push(at.headers.range);
        if (at.ordinal === 0) return { kind: 'cut-response', afterResponseBytes: 400_000 };
        return at.ordinal === 1 ? r.refuse(403, undefined, '<Error>Request has expired</Error>') : undefined;
      },
    });
    expect((await rig.read(1)).equals(content)).toBe(true);
    expect(ranges).toEqual([undefined, 'bytes=400000-', 'bytes=400000-']);
  });

  test('item 25: a connection that breaks behind the last byte of an unknown length is no loss', async () => {
    rig.registry.setFaults({
      before: (at) =>
        isRead(at) && at.ordinal === 0
          ? { kind: 'cut-response', afterResponseBytes: content.length }
          : undefined,
      answer: (at, answer) =>
        isRead(at) && at.ordinal === 0 ? r.withHeaders(answer, { 'content-length': '' }) : undefined,
    });
    expect((await rig.read(1)).equals(content)).toBe(true);
    expect(rig.spent()['blob-read']).toBe(2);
  });

  test('item 25: a body that never gets further ends in an error', async () => {
    rig.registry.setFaults({ before: r.on(isRead, { kind: 'cut-response', afterResponseBytes: 0 }) });
    await expect(rig.read(1)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(rig.spent()['blob-read']).toBe(r.FAST_RETRY.maxAttempts);
  });

  test('item 25: a compressed body is refused', async () => {
    rig.registry.setFaults({
      answer: (at, answer) =>
        isRead(at) ? r.withHeaders(answer, { 'content-encoding': 'gzip' }) : undefined,
    });
    await expect(rig.read(1)).rejects.toMatchObject({ code: 'REGISTRY_FOREIGN' });
  });

  test('item 25: wrong bytes do not pass', async () => {
    rig.registry.setFaults({ body: (_, chunk) => Uint8Array.from(chunk, (byte) => byte ^ 1) });
    await expect(rig.read(1)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
  });

  test.each([100, -100])('item 25: a blob whose length is off by %i does not pass', async (off) => {
    const bytes = seededBytes(1, content.length + off);
    rig.registry.setFaults({
      before: (at) => (isRead(at) ? { kind: 'respond', status: 200, body: bytes } : undefined),
    });
    await expect(rig.read(1)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
  });

  test.each(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN'])(
    'item 21: a blob that garbage collection took (%s) goes up again',
    async (code) => {
      rig.registry.setFaults({ before: r.on(isManifestPut, r.refuse(404, code), [0]) });
      const again = seededBytes(2, 2 * r.MIB);
      await rig.put(2, again);
      expect(rig.spent()).toMatchObject({ 'upload-commit': 2, 'manifest-write': 2 });
      expect((await rig.read(2)).equals(again)).toBe(true);
    },
  );

  test('item 21: a registry that never finds the blob ends the push', async () => {
    rig.registry.setFaults({ before: r.on(isManifestPut, r.refuse(400, 'MANIFEST_BLOB_UNKNOWN')) });
    await expect(rig.put(2, seededBytes(2, 2 * r.MIB))).rejects.toMatchObject({ code: 'BLOB_MISSING' });
    expect(rig.spent()['upload-commit']).toBe(2);
  });

  test.each([
    [405, 'UNSUPPORTED'],
    [400, 'UNSUPPORTED'],
    [400, 'DIGEST_INVALID'],
  ])('item 23: %i %s to a deletion by tag leads to one by digest, for good', async (status, code) => {
    await rig.put(2, content);
    rig.spent();
    rig.registry.setFaults({
      before: (at) => (isDelete(at) && !at.reference?.includes(':') ? r.refuse(status, code) : undefined),
    });
    await rig.open.store.delete(r.refOf(1));
    expect(rig.spent()['manifest-delete']).toBe(2);
    // Equal content under another name stays.
    expect((await rig.read(2)).equals(content)).toBe(true);
    rig.spent();
    await rig.open.store.delete(r.refOf(2));
    expect(rig.spent()['manifest-delete']).toBe(1);
  });

  test('item 23: an object that is gone is deleted', async () => {
    await rig.open.store.delete(r.refOf(1));
    await rig.open.store.delete(r.refOf(1));
    expect(rig.spent()).toEqual({ 'manifest-delete': 2, 'manifest-read': 1 });
  });

  test('item 23: a registry that takes neither a deletion nor a tombstone says so', async () => {
    const isWrite = (at: Exchange) => at.route === 'manifest' && at.method === 'PUT';
    rig.registry.setFaults({
      before: (at) => (isDelete(at) || isWrite(at) ? r.refuse(405, 'UNSUPPORTED') : undefined),
    });
    await expect(rig.open.store.delete(r.refOf(1))).rejects.toMatchObject({ code: 'DELETE_UNSUPPORTED' });
    expect((await rig.read(1)).equals(content)).toBe(true);
  });

  test.each([500, 503])(
    'item 23: a deletion that fails with %i is an error, and hides nothing',
    async (status) => {
      rig.registry.setFaults({ before: r.on(isDelete, r.refuse(status)) });
      await expect(rig.open.store.delete(r.refOf(1))).rejects.toMatchObject({ details: { status } });
      expect(rig.spent()['manifest-write']).toBeUndefined();
    },
  );
});
