import { afterEach, describe, expect, it } from 'vitest';
import type { FaultPlan } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { streamSource } from '../../src/engine/streamSource.ts';
import type { OciStoreOptions } from '../../src/store/openStore.ts';
import { seededBytes } from '../support/seededBytes.ts';
import {
  firstOf,
  isCommit,
  isPatch,
  isStart,
  isStatus,
  MIB,
  on,
  pieces,
  type Rig,
  refOf,
  refuse,
  startRig,
  withHeaders,
} from './rig.ts';

const CHUNKED: OciStoreOptions = { uploadMode: 'chunked', chunkBytes: MIB };
// A window in place of memory for the whole: chunks in `auto` mode too.
const CONTENT = seededBytes(7, 3 * MIB + 123);

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

/** Puts content through a registry that misbehaves; it has to come back whole, and leave no session behind. */
async function survives(options: OciStoreOptions, faults: FaultPlan): Promise<Record<string, number>> {
  rig = await startRig(options);
  rig.registry.setFaults(faults);
  await rig.put(1, CONTENT);
  rig.registry.setFaults(undefined);
  const spent = rig.spent();
  expect((await rig.read(1)).equals(CONTENT)).toBe(true);
  expect(rig.registry.openSessions()).toEqual([]);
  rig.spent();
  return spent;
}

describe('the fast path', () => {
  it('takes three requests for an object that one body carries', async () => {
    expect(await survives({}, {})).toEqual({ 'upload-start': 1, 'upload-commit': 1, 'manifest-write': 1 });
  });

  it('takes two where the host stores a blob with the first request', async () => {
    rig = await startRig();
    rig.host.singlePost = true;
    await rig.put(1, CONTENT);
    expect(rig.spent()).toEqual({ 'upload-commit': 1, 'manifest-write': 1 });
  });

  it('sends no byte of an object that is there', async () => {
    rig = await startRig();
    await rig.put(1, CONTENT);
    rig.spent();
    await rig.put(1, CONTENT);
    expect(rig.spent()).toEqual({});
  });
});

describe('chunked uploads', () => {
  it('item 1: a chunk answered with 201', async () => {
    const spent = await survives(CHUNKED, {
      answer: (exchange, answer) => (isPatch(exchange) ? { ...answer, status: 201 } : undefined),
    });
    expect(spent).toEqual({ 'upload-start': 1, 'upload-chunk': 4, 'upload-commit': 1, 'manifest-write': 1 });
  });

  it('item 2: a Range that sticks at the first chunk', async () => {
    const spent = await survives(CHUNKED, {
      answer: (exchange, answer) =>
        isPatch(exchange) ? withHeaders(answer, { range: `0-${MIB - 1}` }) : undefined,
    });
    expect(spent['upload-chunk']).toBe(4);
  });

  it.each(['22-41', '0-9', 'bytes=0--1', 'nonsense', ''])('items 3 and 4: Range %o', async (range) => {
    const spent = await survives(CHUNKED, {
      answer: (exchange, answer) =>
        isPatch(exchange) || isStart(exchange) ? withHeaders(answer, { range }) : undefined,
    });
    expect(spent['upload-chunk']).toBe(4);
  });

  it('item 5: a status that counts a byte too many', async () => {
    const spent = await survives(CHUNKED, {
      // The second chunk arrives and its answer is lost; the session then says one byte more than it has.
      before: on(isPatch, { kind: 'reset', afterRequestBytes: 1000 }, [1]),
      answer: (exchange, answer) => {
        const end = Number(/-(\d+)$/.exec(answer.headers.range ?? '')?.[1]);
        if (isStatus(exchange)) return withHeaders(answer, { range: `bytes=0-${end + 1}`, location: '' });
        if (isPatch(exchange) && answer.status === 416) return withHeaders(answer, { range: `0-${end + 1}` });
        return undefined;
      },
    });
    expect(spent['upload-chunk']).toBeLessThanOrEqual(8);
  });

  it('item 6: a status of 404 while the session lives', async () => {
    const spent = await survives(CHUNKED, {
      before: firstOf(on(isPatch, { kind: 'lose-response' }, [1]), on(isStatus, refuse(404))),
    });
    expect(spent['upload-start']).toBe(2);
  });

  it('items 7 and 8: a session that a cut chunk destroys', async () => {
    const spent = await survives(CHUNKED, {
      before: firstOf(
        on(isPatch, { kind: 'reset', afterRequestBytes: MIB / 2 }, [2]),
        on(isStatus, refuse(404, 'BLOB_UPLOAD_INVALID')),
      ),
    });
    expect(spent['upload-start']).toBe(2);
  });

  it('item 9: the answer of the first chunk is lost', async () => {
    await survives(CHUNKED, { before: on(isPatch, { kind: 'lose-response' }, [0]) });
  });

  it('item 9: a lost answer in the middle re-sends nothing that was confirmed', async () => {
    const spent = await survives(CHUNKED, { before: on(isPatch, { kind: 'lose-response' }, [2]) });
    expect(spent).toMatchObject({ 'upload-start': 1, 'upload-chunk': 4, 'upload-status': 1 });
  });

  it('item 10: a bare 416', async () => {
    await survives(CHUNKED, {
      before: on(isPatch, { kind: 'respond', status: 416, body: '{"errors":[{"status":416}]}' }, [1]),
    });
  });

  it('item 11: a limit of 4 MiB on ranged requests is no offset problem', async () => {
    // Small memory makes the object larger than what may be resident.
    const spent = await survives(
      { memoryBytes: 32 * MIB, partBytes: 64 * MIB, chunkBytes: MIB },
      {
        before: (exchange) =>
          isPatch(exchange) && exchange.headers['content-range'] !== undefined
            ? refuse(
                416,
                'REQUESTED_RANGE_NOT_SATISFIABLE',
                'exceeds the maximum permissible limit of 4.00MiB',
              )
            : undefined,
      },
    );
    expect(spent['upload-commit']).toBe(1);
  });

  it('item 13: a second chunk that is refused turns a stream into one body, for good', async () => {
    rig = await startRig({ chunkBytes: MIB, memoryBytes: 32 * MIB });
    rig.host.bodyRefused(2 * MIB);
    rig.registry.setFaults({
      before: (exchange) => (isPatch(exchange) && exchange.ordinal >= 1 ? refuse(400) : undefined),
    });
    await rig.put(1, CONTENT);
    expect(rig.host.takesChunks).toBe(false);
    rig.spent();
    await rig.put(2, seededBytes(8, 2 * MIB));
    expect(rig.spent()).toEqual({ 'upload-start': 1, 'upload-commit': 1, 'manifest-write': 1 });
    expect((await rig.read(1)).equals(CONTENT)).toBe(true);
  });

  it('item 16: the registry sets the length of chunks, and the closing PUT is empty', async () => {
    const lengths: number[] = [];
    await survives(
      { uploadMode: 'chunked', chunkBytes: MIB / 4 },
      {
        before: (exchange) => {
          if (isPatch(exchange)) lengths.push(Number(exchange.headers['content-length']));
          if (isCommit(exchange)) expect(exchange.headers['content-length']).toBe('0');
          return undefined;
        },
        answer: (exchange, answer) =>
          isStart(exchange) ? withHeaders(answer, { 'oci-chunk-min-length': String(MIB) }) : undefined,
      },
    );
    expect(lengths).toEqual([MIB, MIB, MIB, 123]);
  });

  it('item 16: a closing PUT that fails without a body is tried with the last chunk in it', async () => {
    await survives(CHUNKED, {
      before: (exchange) =>
        isCommit(exchange) && exchange.headers['content-length'] === '0' ? refuse(500) : undefined,
    });
    expect(rig?.host.commitWithLastChunk).toBe(true);
  });

  it('item 17: every body has a fixed length', async () => {
    await survives(CHUNKED, {
      before: (exchange) => {
        if (exchange.method !== 'GET' && exchange.method !== 'HEAD' && exchange.method !== 'DELETE') {
          expect(exchange.headers['transfer-encoding']).toBeUndefined();
          expect(exchange.headers['content-length']).toMatch(/^\d+$/);
        }
        return undefined;
      },
    });
  });

  it('sends a stream of unknown length as it comes', async () => {
    rig = await startRig({ chunkBytes: MIB, memoryBytes: 32 * MIB });
    await rig.put(1, streamSource(pieces(CONTENT), 'a stream'));
    expect(rig.spent()).toEqual({
      'upload-start': 1,
      'upload-chunk': 4,
      'upload-commit': 1,
      'manifest-write': 1,
    });
    expect((await rig.read(1)).equals(CONTENT)).toBe(true);
  });

  it.each([0, 1, MIB, 2 * MIB])('sends a stream of %i bytes', async (length) => {
    rig = await startRig({ chunkBytes: MIB, memoryBytes: 32 * MIB });
    await rig.put(1, streamSource(pieces(CONTENT.subarray(0, length)), 'a stream'));
    expect((await rig.read(1)).equals(CONTENT.subarray(0, length))).toBe(true);
  });

  it('spools a stream where the registry takes only whole blobs', async () => {
    rig = await startRig({ uploadMode: 'monolithic', memoryBytes: 32 * MIB });
    await rig.put(1, streamSource(pieces(CONTENT), 'a stream'));
    expect(rig.spent()).toMatchObject({ 'upload-start': 1, 'upload-commit': 1 });
    expect((await rig.read(1)).equals(CONTENT)).toBe(true);
  });
});

describe('whole bodies', () => {
  it('item 12: a 413 leads to chunks below the limit, and the next object pays nothing for it', async () => {
    const limit: FaultPlan = {
      before: (exchange) =>
        Number(exchange.headers['content-length'] ?? 0) > 2 * MIB
          ? {
              kind: 'respond',
              status: 413,
              headers: { 'content-type': 'text/html' },
              body: '<html>too large</html>',
            }
          : undefined,
    };
    const spent = await survives({}, limit);
    expect(spent['upload-commit']).toBe(2);
    rig?.registry.setFaults(limit);
    await rig?.put(2, seededBytes(9, 3 * MIB));
    expect(rig?.spent()['upload-start']).toBe(1);
  });

  it('a reset under a length that has passed leads to no chunks', async () => {
    rig = await startRig();
    await rig.put(1, CONTENT);
    rig.spent();
    rig.registry.setFaults({
      before: on(isCommit, { kind: 'reset', afterRequestBytes: MIB }, [0]),
    });
    await rig.put(2, seededBytes(8, CONTENT.length));
    await rig.put(3, seededBytes(9, CONTENT.length));
    const spent = rig.spent();
    expect(spent).toMatchObject({ 'upload-start': 3, 'upload-commit': 3, 'manifest-write': 2 });
    expect(spent).not.toHaveProperty('upload-chunk');
  });

  it('item 12: a limit that even small chunks exceed is told', async () => {
    rig = await startRig();
    rig.registry.setFaults({
      before: (exchange) => (isPatch(exchange) || isCommit(exchange) ? refuse(413) : undefined),
    });
    await expect(rig.put(1, CONTENT)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    expect(rig.registry.openSessions()).toEqual([]);
  });

  it('item 14: a single POST that is answered with a session is followed by the body', async () => {
    rig = await startRig();
    rig.host.singlePost = true;
    rig.registry.setFaults({
      before: (exchange) => (isStart(exchange) && exchange.query.has('digest') ? refuse(415) : undefined),
    });
    await rig.put(1, CONTENT);
    expect(rig.host.singlePost).toBe(false);
    expect((await rig.read(1)).equals(CONTENT)).toBe(true);
  });

  it('item 15: a Location with state in its query, relative, newest first', async () => {
    const states: (string | null)[] = [];
    await survives(CHUNKED, {
      before: (exchange) => {
        if (isPatch(exchange) || isCommit(exchange)) states.push(exchange.query.get('_state'));
        return undefined;
      },
      answer: (exchange, answer) => {
        const location = answer.headers.location;
        if (!location || isCommit(exchange) || (!isPatch(exchange) && !isStart(exchange))) return undefined;
        const url = new URL(location, 'http://x');
        return withHeaders(answer, { location: `${url.pathname}?_state=s%2B${states.length}` });
      },
    });
    expect(states).toEqual(['s+0', 's+1', 's+2', 's+3', 's+4']);
  });

  it('item 20: a commit that fails although the blob was stored', async () => {
    const spent = await survives({}, { before: on(isCommit, { kind: 'lose-response' }, [0]) });
    expect(spent).toMatchObject({ 'upload-commit': 1, 'blob-head': 1 });
  });

  it.each([
    ['whole', {}],
    ['in chunks', CHUNKED],
  ])(
    'a commit that fails while another object has the same blob leaves no session: %s',
    async (_, options) => {
      rig = await startRig({ ...options, looksBeforePut: false });
      await rig.put(1, CONTENT);
      rig.registry.setFaults({ before: on(isCommit, refuse(503)) });
      await rig.put(2, CONTENT);
      expect(rig.spent()['upload-cancel']).toBe(1);
      expect(rig.registry.openSessions()).toEqual([]);
    },
  );

  it('item 20: a 500 before anything was stored', async () => {
    const spent = await survives({}, { before: on(isCommit, refuse(500), [0]) });
    expect(spent['upload-commit']).toBe(2);
  });

  it('item 26: sessions that the registry forgets, for ever, end in an error', async () => {
    rig = await startRig();
    rig.registry.setFaults({ before: on(isCommit, refuse(404, 'BLOB_UPLOAD_UNKNOWN')) });
    await expect(rig.put(1, CONTENT)).rejects.toMatchObject({ code: 'UPLOAD_SESSION_LOST' });
  });

  it('a registry that calls right bytes wrong is not believed for ever', async () => {
    rig = await startRig();
    rig.registry.setFaults({ before: on(isCommit, refuse(400, 'DIGEST_INVALID')) });
    await expect(rig.put(1, CONTENT)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
  });

  it('a missing right is told at once', async () => {
    rig = await startRig();
    rig.registry.setFaults({ before: on(isStart, refuse(403, 'DENIED')) });
    await expect(rig.put(1, CONTENT)).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect(rig.spent()['upload-start']).toBe(1);
  });
});

describe('a dead hash worker', () => {
  it.each(['wasm', 'native'] as const)('%s: the push goes on', async (hasher) => {
    rig = await startRig({ ...CHUNKED, hasher });
    const killed = rig.open.coordinator.hasher.crashWorker();
    await rig.put(1, CONTENT);
    await killed;
    expect((await rig.read(1)).equals(CONTENT)).toBe(true);
  });
});

describe('cancellation', () => {
  it('leaves no session', async () => {
    rig = await startRig(CHUNKED);
    const stop = new AbortController();
    rig.registry.setFaults({
      before: (exchange) => {
        if (isPatch(exchange) && exchange.ordinal === 1) stop.abort();
        return undefined;
      },
    });
    await expect(
      rig.open.store.put(refOf(1), bufferSource(CONTENT, 'object'), { signal: stop.signal }),
    ).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(rig.registry.openSessions()).toEqual([]);
  });
});
