/** Sources that are not in memory as a whole: streams, large files, parts; and pushes that are interrupted. */
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { streamSource } from '../../src/engine/streamSource.ts';
import { isKlosetError } from '../../src/errors.ts';
import { seededBytes } from '../support/seededBytes.ts';
import * as r from './rig.ts';

const { MIB } = r;
// So little memory that blobs above 4 MiB go through a window.
const SMALL = { memoryBytes: 32 * MIB, chunkBytes: MIB };
const stream = (content: Uint8Array, size?: number) => streamSource(r.pieces(content), 'stream', size);

describe('what is not in memory as a whole', () => {
  let rig: r.Rig;
  afterEach(() => rig.close());

  test.each([0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 9 * MIB + 7])('a stream of %i bytes', async (length) => {
    rig = await r.startRig(SMALL);
    const content = seededBytes(length, length);
    await rig.put(1, stream(content));
    const spent = rig.spent();
    expect(spent['upload-start']).toBe(1);
    expect(spent['upload-chunk'] ?? 0).toBe(Math.ceil(length / MIB));
    expect((await rig.read(1)).equals(content)).toBe(true);
    expect(rig.registry.openSessions()).toEqual([]);
  });

  test.each([undefined, 5 * MIB])(
    'a stream (announced: %s) on a host of whole blobs is spooled',
    async (size) => {
      rig = await r.startRig(SMALL);
      rig.host.chunksRefused();
      const content = seededBytes(3, 5 * MIB);
      await rig.put(1, stream(content, size));
      expect(rig.spent()).toEqual({ 'upload-start': 1, 'upload-commit': 1, 'manifest-write': 1 });
      expect((await rig.read(1)).equals(content)).toBe(true);
      expect((await readdir(tmpdir())).filter((name) => name.startsWith('kloset-oci-spool-'))).toEqual([]);
    },
  );

  test.each([-1, 1])('a stream whose length is off by %i is refused and not visible', async (off) => {
    rig = await r.startRig(SMALL);
    const content = seededBytes(4, 2 * MIB);
    await expect(rig.put(1, stream(content, content.length + off))).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
    });
    await expect(rig.read(1)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect(rig.registry.openSessions()).toEqual([]);
  });

  test('a stream whose session is lost says so, and leaves nothing behind', async () => {
    rig = await r.startRig(SMALL);
    rig.registry.setFaults({
      before: (at) => {
        if (r.isPatch(at) && at.ordinal === 2) void rig.registry.forgetSessions();
        return undefined;
      },
    });
    await expect(rig.put(1, stream(seededBytes(5, 5 * MIB)))).rejects.toMatchObject({
      code: 'UPLOAD_SESSION_LOST',
    });
    expect(rig.registry.openSessions()).toEqual([]);
  });

  test('item 26: a registry that restarts forgets its sessions; a source that can be read again goes on', async () => {
    rig = await r.startRig(SMALL);
    const content = seededBytes(6, 5 * MIB);
    rig.registry.setFaults({
      before: (at) => {
        if (r.isPatch(at) && at.ordinal === 2) void rig.registry.forgetSessions();
        return undefined;
      },
    });
    await rig.put(1, content);
    expect(rig.spent()['upload-start']).toBe(2);
    expect((await rig.read(1)).equals(content)).toBe(true);
  });

  test('a commit that fails once starts over with the digest of the blob', async () => {
    rig = await r.startRig({ ...SMALL, uploadMode: 'chunked' });
    const content = seededBytes(7, 5 * MIB);
    rig.registry.setFaults({ before: r.on(r.isCommit, r.refuse(503), [0]) });
    await rig.put(1, content);
    expect(rig.spent()).toMatchObject({ 'upload-start': 2, 'upload-chunk': 10, 'upload-commit': 2 });
    expect((await rig.read(1)).equals(content)).toBe(true);
  });

  test('an object of several parts is read whole and across its parts', async () => {
    rig = await r.startRig({ ...SMALL, partBytes: MIB });
    const content = seededBytes(8, 3 * MIB + 5);
    await rig.put(1, content);
    expect(rig.spent()).toEqual({ 'upload-start': 4, 'upload-commit': 4, 'manifest-write': 1 });
    expect((await rig.read(1)).equals(content)).toBe(true);
    for (const [offset, length] of [
      [0, 1],
      [MIB - 1, 2],
      [MIB, MIB],
      [MIB - 3, 2 * MIB + 6],
      [3 * MIB + 4, 100],
    ] as const) {
      const got = await rig.open.store.get(r.refOf(1), { range: { offset, length } });
      const part = await r.collect(got.stream);
      expect(part.equals(content.subarray(offset, offset + length))).toBe(true);
      expect(part.length).toBe(got.bytes);
    }
  });

  test('a stream of several parts, the last of which may be missing', async () => {
    rig = await r.startRig({ ...SMALL, partBytes: MIB });
    for (const [number, length] of [2 * MIB, 2 * MIB + 1].entries()) {
      const content = seededBytes(9, length);
      await rig.put(number + 1, stream(content));
      expect((await rig.read(number + 1)).equals(content)).toBe(true);
    }
  });

  test('4 KiB are read with one request', async () => {
    rig = await r.startRig();
    const content = seededBytes(10, 4096);
    await rig.put(1, content);
    const second = await r.reopen(rig);
    expect((await r.collect((await second.store.get(r.refOf(1))).stream)).equals(content)).toBe(true);
    expect(second.stats().requests).toEqual({ 'manifest-read': 1 });
    await second.close();
  });

  test.each(['auto', 'chunked'] as const)(
    'a push that is interrupted (%s) leaves no session',
    async (mode) => {
      rig = await r.startRig({ uploadMode: mode, chunkBytes: MIB });
      const stop = new AbortController();
      let sent = 0;
      const source = bufferSource(seededBytes(11, 5 * MIB), 'interrupted');
      const put = rig.open.store.put(r.refOf(1), source, {
        signal: stop.signal,
        onSent: (bytes) => {
          sent += bytes;
          if (sent >= 2 * MIB) stop.abort();
        },
      });
      const error: unknown = await put.catch((thrown) => thrown);
      expect(isKlosetError(error, 'CANCELLED')).toBe(true);
      expect(rig.registry.openSessions()).toEqual([]);
      expect(rig.registry.countRequests({ method: 'PUT', route: 'manifest' })).toBe(0);
      // The memory is free again.
      await rig.put(2, seededBytes(12, 5 * MIB));
    },
  );
});
