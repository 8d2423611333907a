/** Registries that misbehave under chunked uploads, each as registries are known to. */
import { afterEach, describe, expect, test } from 'vitest';
import { seededBytes } from '../support/seededBytes.ts';
import * as r from './rig.ts';
import { startRig as start } from './rig.ts';

const { KIB, MIB } = r;
const content = seededBytes(1, 3 * MIB + 300 * KIB);
// POST, four PATCH, PUT and the manifest.
const CLEAN = { 'upload-start': 1, 'upload-chunk': 4, 'upload-commit': 1, 'manifest-write': 1 };
const BLOB_GONE = r.refuse(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');

describe('chunked uploads on registries that misbehave', () => {
  let rig: r.Rig;
  afterEach(() => rig.close());

  const startRig = async (options: Parameters<typeof start>[0] = {}) => {
    rig = await start({ uploadMode: 'chunked', chunkBytes: MIB, ...options });
    return rig.registry;
  };
  const putAndCompare = async (bytes = content, number = 1) => {
    await rig.put(number, bytes);
    const spent = rig.spent();
    expect(rig.registry.openSessions()).toEqual([]);
    expect((await rig.read(number)).equals(bytes)).toBe(true);
    rig.spent();
    return spent;
  };

  test('a registry without faults takes one request per chunk', async () => {
    await startRig();
    expect(await putAndCompare()).toEqual(CLEAN);
  });

  test.each([200, 201, 204])(
    'item 01: a chunk that is answered %i (ECR) is taken like 202',
    async (status) => {
      const registry = await startRig();
      registry.setFaults({ answer: (at, answer) => (r.isPatch(at) ? { ...answer, status } : undefined) });
      expect(await putAndCompare()).toEqual(CLEAN);
    },
  );

  test('item 02: a Range that sticks at the first chunk (ECR) repeats nothing', async () => {
    const registry = await startRig();
    registry.setFaults({
      answer: (at, answer) =>
        r.isPatch(at) || r.isStatus(at) ? r.withHeaders(answer, { Range: `0-${MIB - 1}` }) : undefined,
    });
    expect(await putAndCompare()).toEqual(CLEAN);
  });

  test('item 02: a stuck Range after a lost chunk costs one new session', async () => {
    const registry = await startRig();
    registry.setFaults({
      before: r.on(r.isPatch, { kind: 'reset' }, [2]),
      answer: (at, answer) =>
        r.isPatch(at) || r.isStatus(at) ? r.withHeaders(answer, { Range: `0-${MIB - 1}` }) : undefined,
    });
    expect(await putAndCompare()).toMatchObject({ 'upload-start': 2, 'upload-chunk': 7, 'upload-status': 1 });
  });

  test.each(['22-41', '0-1048575', 'bytes=0-99', 'nonsense'])(
    'item 03: a Range of "%s" in an accepted chunk is ignored',
    async (range) => {
      const registry = await startRig();
      registry.setFaults({
        answer: (at, answer) => (r.isPatch(at) ? r.withHeaders(answer, { Range: range }) : undefined),
      });
      expect(await putAndCompare()).toEqual(CLEAN);
    },
  );

  test.each(['0-0', '0--1', 'bytes=0--1', ''])('item 04: an empty session says "%s"', async (range) => {
    const registry = await startRig();
    registry.setFaults({
      before: r.on(r.isPatch, { kind: 'reset' }, [0]),
      answer: (at, answer) =>
        r.isStart(at) || r.isStatus(at) ? r.withHeaders(answer, { Range: range }) : undefined,
    });
    expect(await putAndCompare()).toMatchObject({ 'upload-start': 2, 'upload-chunk': 5, 'upload-status': 1 });
  });

  test('item 05: a Range of one byte too many (Quay) is gone back behind after a refusal', async () => {
    const registry = await startRig();
    registry.setFaults({
      before: r.on(r.isPatch, { kind: 'reset', afterRequestBytes: 500_000 }, [1]),
      answer: (at, answer) => {
        if (!r.isStatus(at) && answer.status !== 416) return undefined;
        const end = Number((answer.headers.range ?? '0-0').slice(2));
        return r.withHeaders(answer, { Range: `bytes=0-${end + 1}`, Location: '' });
      },
    });
    const spent = await putAndCompare();
    expect(spent['upload-start']).toBe(1);
    // Four chunks, the broken one, and at most two that were refused at the wrong place.
    expect(spent['upload-chunk']).toBeLessThanOrEqual(7);
  });

  test('item 05: a count instead of an end for a chunk that arrived in full goes on behind it', async () => {
    const registry = await startRig();
    registry.setFaults({
      before: r.on(r.isPatch, { kind: 'lose-response' }, [1]),
      answer: (at, answer) =>
        r.isStatus(at) ? r.withHeaders(answer, { Range: `bytes=0-${2 * MIB}` }) : undefined,
    });
    expect(await putAndCompare()).toEqual({ ...CLEAN, 'upload-status': 1 });
  });

  test('item 06: a session whose status is 404 while it lives (ECR) is left and cancelled', async () => {
    const registry = await startRig();
    registry.setFaults({
      before: r.firstOf(r.on(r.isPatch, { kind: 'reset' }, [1]), r.on(r.isStatus, BLOB_GONE)),
    });
    expect(await putAndCompare()).toEqual({
      'upload-start': 2,
      'upload-chunk': 6,
      'upload-status': 1,
      'upload-cancel': 1,
      'upload-commit': 1,
      'manifest-write': 1,
    });
  });

  test('item 07: a chunk cut at 60 % destroys the session (distribution 2): start over', async () => {
    const registry = await startRig();
    registry.setFaults({
      before: r.firstOf(
        r.on(r.isPatch, { kind: 'reset', afterRequestBytes: 600_000 }, [1]),
        r.on(r.isStatus, r.refuse(404, 'BLOB_UPLOAD_INVALID', 'blob upload invalid')),
      ),
    });
    expect(await putAndCompare()).toMatchObject({ 'upload-start': 2, 'upload-chunk': 6 });
  });

  test('item 07: restarts are bounded where every session dies at its second chunk', async () => {
    const registry = await startRig();
    let patches = 0;
    registry.setFaults({
      before: (at) => {
        if (r.isStatus(at)) return BLOB_GONE;
        return r.isPatch(at) && ++patches % 2 === 0 ? { kind: 'reset' } : undefined;
      },
    });
    await expect(rig.put(1, content)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(rig.spent()['upload-start']).toBeLessThanOrEqual(2 * r.FAST_RETRY.maxAttempts);
    registry.setFaults(undefined);
    expect(registry.openSessions()).toEqual([]);
  });

  test('item 08: a 500 to a cut chunk and then an unknown session (zot): start over', async () => {
    const registry = await startRig();
    registry.setFaults({
      before: r.firstOf(r.on(r.isPatch, r.refuse(500), [1]), r.on(r.isStatus, BLOB_GONE)),
    });
    expect(await putAndCompare()).toMatchObject({ 'upload-start': 2, 'upload-chunk': 6 });
    expect(rig.clock.sleeps.length).toBe(2);
  });

  test.each([0, 1, 3])('item 09: the lost answer to chunk %i is asked for, not sent again', async (lost) => {
    const registry = await startRig();
    registry.setFaults({ before: r.on(r.isPatch, { kind: 'lose-response' }, [lost]) });
    expect(await putAndCompare()).toEqual({ ...CLEAN, 'upload-status': 1 });
  });

  test('item 09: a digest mismatch after chunks is tried in one body, and remembered', async () => {
    const registry = await startRig({ uploadMode: 'auto', memoryBytes: 32 * MIB });
    const large = seededBytes(2, 5 * MIB);
    registry.setFaults({
      before: (at) =>
        r.isCommit(at) && at.headers['content-length'] === '0' ? r.refuse(400, 'DIGEST_INVALID') : undefined,
    });
    const first = await putAndCompare(large);
    expect(first).toMatchObject({ 'upload-start': 2, 'upload-chunk': 5, 'upload-commit': 2 });
    expect(await putAndCompare(seededBytes(3, 5 * MIB), 2)).toEqual({
      'upload-start': 1,
      'upload-commit': 1,
      'manifest-write': 1,
    });
  });

  test.each(['', '{"errors":[{"status":416}]}', '<html>', '[]', 'null', '{"errors":null}'])(
    'item 10: a bare 416 with the body %s is resolved by asking',
    async (body) => {
      const registry = await startRig();
      registry.setFaults({ before: r.on(r.isPatch, r.refuse(416, undefined, body), [1]) });
      expect(await putAndCompare()).toEqual({ ...CLEAN, 'upload-chunk': 5, 'upload-status': 1 });
    },
  );

  test('item 10: a 416 that never goes away ends, with its status', async () => {
    const registry = await startRig();
    registry.setFaults({
      before: (at) => (r.isPatch(at) && at.headers['content-range'] ? r.refuse(416) : undefined),
    });
    await expect(rig.put(1, content)).rejects.toMatchObject({ details: { status: 416 } });
    expect(rig.spent()['upload-chunk']).toBeLessThanOrEqual(30);
    expect(registry.openSessions()).toEqual([]);
  });

  const tooLarge = (limit: number): NonNullable<Parameters<r.Rig['registry']['setFaults']>[0]> => ({
    before: (at) =>
      r.isPatch(at) && at.headers['content-range'] && Number(at.headers['content-length']) > limit
        ? r.refuse(
            416,
            'REQUESTED_RANGE_NOT_SATISFIABLE',
            'range exceeds the maximum permissible limit of 1MiB',
          )
        : undefined,
  });

  test('item 11: "exceeds the maximum permissible limit" (GHCR) shrinks chunks that were asked for', async () => {
    const registry = await startRig();
    registry.setFaults(tooLarge(MIB / 2));
    expect(await putAndCompare()).toMatchObject({ 'upload-start': 2, 'upload-chunk': 8 });
    expect(await putAndCompare(seededBytes(4, 3 * MIB), 2)).toEqual({ ...CLEAN, 'upload-chunk': 6 });
  });

  test('item 11: "exceeds the maximum permissible limit" (GHCR) turns auto to one body, for good', async () => {
    const registry = await startRig({ uploadMode: 'auto', memoryBytes: 32 * MIB });
    registry.setFaults(tooLarge(MIB / 2));
    expect(await putAndCompare(seededBytes(5, 5 * MIB))).toMatchObject({
      'upload-start': 2,
      'upload-chunk': 1,
      'upload-commit': 1,
    });
    const second = await putAndCompare(seededBytes(6, 5 * MIB), 2);
    expect(second).toEqual({ 'upload-start': 1, 'upload-commit': 1, 'manifest-write': 1 });
  });

  test.each([400, 405, 415, 501])(
    'item 13: a second chunk that is refused with %i (Google)',
    async (status) => {
      const registry = await startRig({ uploadMode: 'auto', memoryBytes: 32 * MIB });
      registry.setFaults({
        before: (at) =>
          r.isPatch(at) && /^[^0]/.test(at.headers['content-range'] ?? '') ? r.refuse(status) : undefined,
      });
      expect(await putAndCompare(seededBytes(7, 5 * MIB))).toMatchObject({
        'upload-start': 2,
        'upload-chunk': 2,
        'upload-commit': 1,
      });
      const second = await putAndCompare(seededBytes(8, 5 * MIB), 2);
      expect(second).toEqual({ 'upload-start': 1, 'upload-commit': 1, 'manifest-write': 1 });
    },
  );
});
