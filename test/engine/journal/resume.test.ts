/** A push that was interrupted half-way, and the one after it, against registries of all kinds. */
import { createHash } from 'node:crypto';
import { appendFile, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FaultPlan, type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { bufferSource } from '../../../src/engine/bufferSource.ts';
import { identityOf } from '../../../src/engine/fileIdentity.ts';
import { fileSource } from '../../../src/engine/fileSource.ts';
import { encodeLines, JOURNAL_VERSION } from '../../../src/engine/journal/format.ts';
import { JournalFolder } from '../../../src/engine/journal/journalFolder.ts';
import { KlosetError } from '../../../src/errors.ts';
import { HostFlows } from '../../../src/registry/hostFlows.ts';
import { EMPTY_CONFIG } from '../../../src/store/manifest.ts';
import { tagOf } from '../../../src/store/objectNames.ts';
import { type OciStoreOptions, type OpenOciStore, openOciStore } from '../../../src/store/openStore.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { seededBytes } from '../../support/seededBytes.ts';
import * as r from '../rig.ts';

const { MIB } = r;
const CHUNKS = 6;
const content = seededBytes(1, CHUNKS * MIB);
const REF = r.refOf(1);
type Plan = NonNullable<FaultPlan['answer']>;

let registry: RunningRegistry;
let folder: Scratch;
let source: string;
let remarks: string[];
let journals: string;
beforeEach(async () => {
  registry = await startRegistry();
  folder = await scratch('resume');
  source = join(folder.path, 'source');
  journals = join(folder.path, 'state', 'journals');
  remarks = [];
  await writeFile(source, content);
  // The configuration blob goes up once, and not in the middle of what is counted.
  const primer = open('resume/store', { journalFolder: undefined });
  await primer.store.put(r.refOf(0), bufferSource(seededBytes(0, 10), 'primer'));
  await primer.close();
});
afterEach(async () => {
  await registry.close();
  await folder.remove();
});

function open(repository = 'resume/store', options: OciStoreOptions = {}): OpenOciStore {
  return openOciStore(`oci://${registry.address}/${repository}`, {
    journalFolder: journals,
    onRemark: (remark) => remarks.push(remark),
    uploadMode: 'chunked',
    chunkBytes: MIB,
    hasher: 'native',
    retry: r.FAST_RETRY,
    ...options,
  });
}

/** Pushes the file and interrupts it when it sends the chunk of that number; the process could end then. */
async function interrupt(inChunk: number, options: OciStoreOptions = {}): Promise<void> {
  const stop = new AbortController();
  registry.setFaults({
    before: (at) => {
      if (!startsAt(at, inChunk * MIB)) return undefined;
      stop.abort(new KlosetError('CANCELLED', 'interrupted'));
      return { kind: 'stall' };
    },
  });
  const opened = open('resume/store', options);
  const push = opened.store.put(REF, await fileSource(source), { signal: stop.signal });
  await expect(push).rejects.toMatchObject({ code: 'CANCELLED' });
  await opened.close();
  registry.setFaults(undefined);
  registry.resetRequestLog();
}

// Not by their order: the configuration blob goes in a chunk as well, at the same time.
const startsAt = ({ headers }: { headers: Record<string, unknown> }, offset: number) =>
  String(headers['content-range']).startsWith(`${offset}-`);

interface Pushed {
  readonly requests: Record<string, number>;
  readonly resumedAt: readonly number[];
  readonly takesChunks: boolean;
}

/** Pushes the file to its end, and checks what is there then. */
async function push(expected: Uint8Array = content, options: OciStoreOptions = {}): Promise<Pushed> {
  const opened = open('resume/store', options);
  const resumedAt: number[] = [];
  try {
    await opened.store.put(REF, await fileSource(source), { onResumed: (bytes) => resumedAt.push(bytes) });
    const { requests } = opened.stats();
    const host = opened.coordinator.host(opened.store.reference.origin);
    const finding = await opened.store.get(REF);
    expect((await r.collect(finding.stream)).equals(expected)).toBe(true);
    return { requests: { ...requests }, resumedAt, takesChunks: host.takesChunks };
  } finally {
    await opened.close();
  }
}

const left = () => readdir(journals).catch(() => []);
const nothingLeft = async () => {
  expect(registry.openSessions()).toEqual([]);
  expect(await left()).toEqual([]);
};
const statusSays =
  (range: string): Plan =>
  (at, answer) =>
    r.isStatus(at) ? r.withHeaders(answer, { range }) : undefined;
const ALL_AGAIN = { 'upload-start': 1, 'upload-chunk': CHUNKS };

describe('a push after one that was interrupted', () => {
  test('goes on in its session, and sends no confirmed chunk again', async () => {
    await interrupt(3);
    expect(registry.openSessions()).toMatchObject([{ bytes: 3 * MIB }]);
    const { requests, resumedAt } = await push();
    expect(resumedAt).toEqual([3 * MIB]);
    expect(requests).toMatchObject({ 'upload-status': 1, 'upload-chunk': 3, 'upload-commit': 1 });
    expect(requests['upload-start']).toBeUndefined();
    await nothingLeft();
  });

  test('goes on where an interrupted chunk has arrived in part', async () => {
    await interrupt(3);
    registry.setFaults({
      before: (at) => (startsAt(at, 3 * MIB) ? { kind: 'reset', afterRequestBytes: 1234 } : undefined),
    });
    const { requests } = await push();
    expect(requests).toMatchObject({ 'upload-status': 2 });
    const sent = registry.requestLog().filter(({ method }) => method === 'PATCH');
    expect(sent.reduce((sum, { requestBytes }) => sum + requestBytes, 0)).toBe(3 * MIB);
    await nothingLeft();
  });

  test('may be interrupted itself, again and again', async () => {
    await interrupt(2);
    for (const chunk of [3, 4, 5]) await interrupt(chunk);
    expect((await push()).resumedAt).toEqual([5 * MIB]);
    await nothingLeft();
  });

  test('only commits what was sent to its end', async () => {
    const stop = new AbortController();
    registry.setFaults({
      before: (at) => {
        if (!r.isCommit(at) || at.query.get('digest') === EMPTY_CONFIG.digest) return undefined;
        stop.abort(new KlosetError('CANCELLED', 'interrupted'));
        return { kind: 'stall' };
      },
    });
    const opened = open();
    const push1 = opened.store.put(REF, await fileSource(source), { signal: stop.signal });
    await expect(push1).rejects.toMatchObject({ code: 'CANCELLED' });
    await opened.close();
    registry.setFaults(undefined);
    const { requests, resumedAt } = await push();
    expect(resumedAt).toEqual([CHUNKS * MIB]);
    expect(requests['upload-chunk']).toBeUndefined();
    await nothingLeft();
  });

  test('sends a blob that is stored already not again: only its manifest', async () => {
    registry.setFaults({
      before: (at) => (at.method === 'PUT' && at.route === 'manifest' ? r.refuse(500) : undefined),
    });
    const opened = open();
    await expect(opened.store.put(REF, await fileSource(source))).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
    });
    await opened.close();
    registry.setFaults(undefined);
    const { requests } = await push();
    expect(requests).toMatchObject({ 'blob-head': 2, 'manifest-write': 1 });
    expect(requests['upload-chunk']).toBeUndefined();
    await nothingLeft();
  });

  test('sends a blob again that the registry says to have, and then misses', async () => {
    registry.setFaults({
      before: (at) => (at.method === 'PUT' && at.route === 'manifest' ? r.refuse(500) : undefined),
    });
    const opened = open();
    await expect(opened.store.put(REF, await fileSource(source))).rejects.toThrow();
    await opened.close();
    registry.setFaults({
      before: (at) =>
        at.method === 'PUT' && at.route === 'manifest' && at.ordinal === 0
          ? r.refuse(404, 'MANIFEST_BLOB_UNKNOWN')
          : undefined,
    });
    const { requests } = await push();
    expect(requests).toMatchObject({ ...ALL_AGAIN, 'manifest-write': 2 });
    await nothingLeft();
  });

  test('of several parts sends none that is stored, and goes on in the one that was interrupted', async () => {
    const parts = { partBytes: 2 * MIB, chunkBytes: MIB / 2 };
    const stop = new AbortController();
    let chunks = 0;
    registry.setFaults({
      before: (at) => {
        if (!r.isPatch(at) || ++chunks < 11) return undefined;
        stop.abort(new KlosetError('CANCELLED', 'interrupted'));
        return { kind: 'stall' };
      },
    });
    const opened = open('resume/store', parts);
    const push1 = opened.store.put(REF, await fileSource(source), { signal: stop.signal });
    await expect(push1).rejects.toMatchObject({ code: 'CANCELLED' });
    await opened.close();
    registry.setFaults(undefined);
    const { requests, resumedAt } = await push(content, parts);
    // The third of three parts, behind two of its four chunks.
    // Two that are stored, and the one that goes on.
    expect(resumedAt).toEqual([2 * MIB, 2 * MIB, MIB]);
    expect(requests).toMatchObject({ 'upload-chunk': 2, 'upload-commit': 1 });
    await nothingLeft();
  });

  test('starts over in a new session where the old one is gone', async () => {
    await interrupt(3);
    await registry.forgetSessions();
    const { requests, resumedAt } = await push();
    expect(resumedAt).toEqual([]);
    expect(requests).toMatchObject(ALL_AGAIN);
    await nothingLeft();
  });

  test('starts over, and cancels the session, where it lives but does not say where it is (ECR)', async () => {
    await interrupt(3);
    registry.setFaults({ before: r.on(r.isStatus, r.refuse(404, 'BLOB_UPLOAD_UNKNOWN')) });
    expect((await push()).requests).toMatchObject({ ...ALL_AGAIN, 'upload-cancel': 1 });
    await nothingLeft();
  });

  test.each(['0-0', '0--1', 'bytes=0--1', 'nonsense'])(
    'starts over where the session says "%s"',
    async (range) => {
      await interrupt(3);
      registry.setFaults({ answer: statusSays(range) });
      expect((await push()).requests).toMatchObject({ ...ALL_AGAIN, 'upload-cancel': 1 });
      await nothingLeft();
    },
  );

  test('goes on where the session counts a byte too many (Quay)', async () => {
    await interrupt(3);
    registry.setFaults({ answer: statusSays(`bytes=0-${3 * MIB}`) });
    expect((await push()).resumedAt).toEqual([3 * MIB]);
    await nothingLeft();
  });

  test.each([2, 4])('is whole in the end where a session of 3 MiB claims %i', async (claimed) => {
    await interrupt(3);
    registry.setFaults({ answer: statusSays(`0-${claimed * MIB - 1}`) });
    await push();
    await nothingLeft();
  });

  test('finds out by the digest that what was sent is not what the file has', async () => {
    await interrupt(3);
    // Written to in place, and made to look untouched.
    const { atime, mtime } = await stat(source);
    const other = Buffer.from(content);
    other[5] = (other[5] ?? 0) ^ 1;
    const journal = join(journals, (await left())[0] ?? '');
    const before = await readFile(journal, 'utf8');
    await writeFile(source, other);
    await utimes(source, atime, mtime);
    // utimes knows no nanoseconds: the journal is made to agree.
    const { mtimeNs } = await stat(source, { bigint: true });
    await rewriteJournal(journal, before.replaceAll(/"mtimeNs":"\d+"/g, `"mtimeNs":"${mtimeNs}"`));
    const { resumedAt, requests, takesChunks } = await push(other);
    expect(resumedAt).toEqual([3 * MIB]);
    expect(requests).toMatchObject({ 'upload-start': 1, 'upload-chunk': 3 + CHUNKS });
    // It is no sign of a registry that cannot take chunks.
    expect(takesChunks).toBe(true);
    await nothingLeft();
  });

  test('starts over, and cancels the session, where the file has changed', async () => {
    await interrupt(3);
    await appendFile(source, 'more');
    const { requests } = await push(Buffer.concat([content, Buffer.from('more')]));
    expect(requests).toMatchObject({ 'upload-start': 1, 'upload-cancel': 1 });
    await nothingLeft();
  });

  test('in one body starts over, and cancels the session', async () => {
    await interrupt(3);
    const { requests } = await push(content, { uploadMode: 'monolithic' });
    expect(requests).toMatchObject({ 'upload-start': 1, 'upload-cancel': 1 });
    await nothingLeft();
  });

  test('goes on where a push was killed while it took the journal over, and left two of one session', async () => {
    await interrupt(3);
    const [name = ''] = await left();
    const lines = (await readFile(join(journals, name), 'utf8')).split('\n').slice(0, 2);
    // The one knows an earlier location of the session, and nothing of its chunks.
    const earlier = join(journals, name.replace(/[0-9a-f]{8}\.journal$/, '00000000.journal'));
    await rewriteJournal(earlier, lines.join('\n').replace(/("url":"[^"]*)"/, '$1?_state=earlier"'));
    const { requests, resumedAt } = await push();
    expect(resumedAt).toEqual([3 * MIB]);
    expect(requests['upload-cancel']).toBeUndefined();
    await nothingLeft();
  });

  test('to another place leaves the session alone', async () => {
    await interrupt(3);
    const other = open('another/store');
    await other.store.put(REF, await fileSource(source));
    await other.close();
    expect(registry.openSessions()).toMatchObject([{ repository: 'resume/store', bytes: 3 * MIB }]);
    expect((await push()).resumedAt).toEqual([3 * MIB]);
    await nothingLeft();
  });

  test('of another file keeps the session for the push that will continue it', async () => {
    await interrupt(3);
    const other = open();
    await writeFile(join(folder.path, 'other'), 'other');
    await other.store.put(r.refOf(2), await fileSource(join(folder.path, 'other')));
    await other.close();
    expect(registry.openSessions()).toMatchObject([{ bytes: 3 * MIB }]);
    expect((await push()).resumedAt).toEqual([3 * MIB]);
    await nothingLeft();
  });

  test('finds the object there already, and cancels what is not needed any more', async () => {
    await interrupt(3);
    const plain = open('resume/store', { journalFolder: undefined });
    await plain.store.put(REF, await fileSource(source));
    await plain.close();
    const again = open();
    await writeFile(join(folder.path, 'other'), 'other');
    await again.store.put(r.refOf(2), await fileSource(join(folder.path, 'other')));
    await again.close();
    await nothingLeft();
  });

  test('keeps the session when the registry is away', async () => {
    await interrupt(3);
    const location = `oci://${registry.address}/resume/store`;
    const { port } = registry;
    await registry.close();
    // A process of its own: it has never heard from the registry, and does not wait for it to come back.
    const flows = new HostFlows();
    const opened = openOciStore(location, { journalFolder: journals, uploadMode: 'chunked', flows });
    const push1 = opened.store.put(REF, await fileSource(source), {});
    await expect(push1).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    await opened.close();
    expect(await left()).toHaveLength(1);
    registry = await startRegistry({ port });
  });
});

describe('a blob that went in one body when its push was killed', () => {
  /** What a killed push has left: a session, and a journal that knows of it. */
  async function killed(): Promise<string> {
    const started = await fetch(`${registry.url}/v2/resume/store/blobs/uploads/`, { method: 'POST' });
    const url = new URL(started.headers.get('location') ?? '', registry.url).href;
    const target = { origin: registry.url, repository: 'resume/store' };
    const folder = await JournalFolder.open(journals, (remark) => remarks.push(remark));
    const path = folder.newPath(target);
    const place = { file: await identityOf(source), start: 0, bytes: content.length, tag: tagOf(REF) };
    await writeFile(
      path,
      encodeLines([
        { type: 'journal', version: JOURNAL_VERSION, ...target },
        { type: 'session', id: 1, url, place },
      ]),
    );
    await folder.release(path, target);
    registry.resetRequestLog();
    return url;
  }
  const whole = { uploadMode: 'monolithic' } as const;

  test('is sent anew, and its session is cancelled', async () => {
    await killed();
    const { requests } = await push(content, whole);
    expect(requests).toMatchObject({ 'upload-cancel': 1, 'upload-start': 1, 'upload-commit': 1 });
    await nothingLeft();
    expect(remarks).toEqual([]);
  });

  test('is found where it had arrived', async () => {
    const url = await killed();
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    await fetch(`${url}?digest=${digest}`, { method: 'PUT', body: content });
    const { requests } = await push(content, whole);
    expect(requests['upload-commit']).toBeUndefined();
    expect(requests).toMatchObject({ 'manifest-write': 1 });
    await nothingLeft();
  });
});

/** Writes a journal with the lines of a text, under checksums that fit. */
async function rewriteJournal(path: string, text: string): Promise<void> {
  const records = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.slice(9)));
  await writeFile(path, encodeLines(records));
}
