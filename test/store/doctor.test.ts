/** What the doctor says of registries that misbehave in known ways, and what it leaves behind. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type Exchange,
  type FaultPlan,
  type RunningRegistry,
  startRegistry,
} from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { tls } from '../../src/store/doctor/connection.ts';
import type { DoctorContext } from '../../src/store/doctor/context.ts';
import { type Examination, type ExamineOptions, examine } from '../../src/store/doctor/examine.ts';
import type { Finding } from '../../src/store/doctor/finding.ts';
import { DOCTOR_TAG_PREFIX } from '../../src/store/objectNames.ts';
import { type OciStoreOptions, openOciStore } from '../../src/store/openStore.ts';
import {
  collect,
  FAST_RETRY,
  firstOf,
  isCommit,
  isPatch,
  isStart,
  isStatus,
  MIB,
  on,
  refOf,
  refuse,
  withHeaders,
} from '../engine/rig.ts';
import { tagsOf } from '../support/registryState.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { selfSigned } from '../support/selfSigned.ts';

const REPOSITORY = 'kloset/store';
const BYTES = 32 * MIB;

let registry: RunningRegistry;
beforeEach(async () => {
  registry = await startRegistry();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await registry.close();
});

async function look(
  faults: FaultPlan = {},
  options: ExamineOptions = {},
  store: OciStoreOptions = {},
): Promise<Examination> {
  registry.setFaults(faults);
  const open = openOciStore(`oci://${registry.address}/${REPOSITORY}`, { retry: FAST_RETRY, ...store });
  try {
    return await examine(open, options);
  } finally {
    await open.close();
    registry.setFaults(undefined);
  }
}

/** Verdicts by name, of those that are not `ok`. */
function troubles({ findings }: Examination): Record<string, string> {
  return Object.fromEntries(
    findings.filter(({ verdict }) => verdict !== 'ok').map(({ name, verdict }) => [name, verdict]),
  );
}

const isManifest = (method: string) => (exchange: Exchange) =>
  exchange.method === method && exchange.route === 'manifest';
const isTagged = (exchange: Exchange) => !exchange.reference?.includes(':');
const lengthOf = (exchange: Exchange) => Number(exchange.headers['content-length'] ?? 0);

/** Nothing of ours is there any more. */
async function expectClean(examination: Examination): Promise<void> {
  expect(await tagsOf(registry.address, REPOSITORY)).toEqual([]);
  expect(registry.openSessions()).toEqual([]);
  expect(examination.leftovers).toEqual({ tags: [], manifests: [], blobs: 0, blobBytes: 0 });
}

describe('a registry that keeps to the specification', () => {
  it('has all verdicts ok, and is left as it was', async () => {
    const names: string[] = [];
    const examination = await look({}, { onFinding: ({ name }) => names.push(name) });
    expect(troubles(examination)).toEqual({});
    expect(examination).toMatchObject({ works: true, complete: true, advice: [] });
    expect(names).toEqual(examination.findings.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(29);
    await expectClean(examination);
  });

  it('keeps the bound on bytes, in both directions together', async () => {
    for (const maxBytes of [BYTES, 2 * MIB, 400_000]) {
      registry.resetRequestLog();
      expect((await look({}, { maxBytes })).works).toBe(true);
      const log = registry.requestLog();
      const moved = log.reduce(
        (sum, { requestBytes, responseBytes }) => sum + requestBytes + responseBytes,
        0,
      );
      // Manifests, answers and the parts of forms that are cut short are small change.
      expect(moved).toBeLessThanOrEqual(Math.max(maxBytes, 400_000) + 300_000);
    }
  });

  it('keeps the store that is there', async () => {
    const open = openOciStore(`oci://${registry.address}/${REPOSITORY}`);
    const content = seededBytes(1, 100_000);
    await open.store.create(seededBytes(0, 500));
    await open.store.put(refOf(1), bufferSource(content, 'x'));
    const before = (await tagsOf(registry.address, REPOSITORY)).sort();
    const examination = await look();
    expect(examination.findings.find(({ name }) => name === 'pull')?.detail).toContain('holds a store');
    expect((await tagsOf(registry.address, REPOSITORY)).sort()).toEqual(before);
    expect(examination.leftovers.tags).toEqual([]);
    for (const ref of ['CONFIG', refOf(1)] as const) {
      expect(await open.store.verify(ref, { deep: true })).toMatchObject({ ok: true });
    }
    expect((await collect((await open.store.get(refOf(1))).stream)).equals(content)).toBe(true);
    await open.close();
  });

  it('sees only tags of one prefix written', async () => {
    const tags = new Set<string>();
    await look({
      before: (exchange) => {
        if (isManifest('PUT')(exchange)) tags.add(exchange.reference ?? '');
        return undefined;
      },
    });
    expect(tags.size).toBe(2);
    for (const tag of tags) expect(tag.startsWith(DOCTOR_TAG_PREFIX)).toBe(true);
  });
});

describe('verdicts', () => {
  const facts = (examination: Examination, name: string) =>
    examination.findings.find((finding: Finding) => finding.name === name)?.facts;

  it('chunks refused: one body is recommended', async () => {
    const examination = await look({
      before: (exchange) =>
        isPatch(exchange) && exchange.headers['content-range'] !== undefined ? refuse(400) : undefined,
    });
    expect(troubles(examination)).toEqual({ 'upload-chunks': 'not possible' });
    expect(examination.works).toBe(true);
    expect(examination.facts.takesChunks).toBe(false);
    expect(examination.advice.map(({ option }) => option)).toEqual([
      { name: 'upload_mode', value: 'monolithic' },
    ]);
    await expectClean(examination);
  });

  it('chunks from 5 MiB on, the last one in the commit (ECR)', async () => {
    let parts = 0;
    const examination = await look({
      before: (exchange) => {
        if (isStart(exchange)) parts = 0;
        if (isStatus(exchange)) return refuse(404);
        if (isPatch(exchange) && exchange.headers['content-range'] !== undefined) {
          parts++;
          return lengthOf(exchange) < 5 * MIB ? refuse(400, 'BLOB_UPLOAD_INVALID') : undefined;
        }
        return isCommit(exchange) && parts > 0 && lengthOf(exchange) === 0 ? refuse(500) : undefined;
      },
    });
    expect(troubles(examination)).toEqual({ 'upload-chunks': 'limited', 'session-status': 'not possible' });
    expect(facts(examination, 'upload-chunks')).toEqual({
      takesChunks: true,
      chunkMinBytes: 5 * MIB,
      commitWithLastChunk: true,
    });
    await expectClean(examination);
  });

  it('chunks up to 4 MiB (GHCR)', async () => {
    const message = 'the request body is too large and exceeds the maximum permissible limit of 4.00MiB';
    const examination = await look({
      before: (exchange) =>
        isPatch(exchange) && exchange.headers['content-range'] !== undefined && lengthOf(exchange) > 4 * MIB
          ? refuse(416, 'REQUESTED_RANGE_NOT_SATISFIABLE', message)
          : undefined,
    });
    expect(troubles(examination)).toEqual({ 'chunk-length': 'limited' });
    expect(examination.facts.chunkMaxBytes).toBe(4 * MIB);
    expect(examination.advice[0]?.option).toEqual({ name: 'chunk_size', value: '4MiB' });
    await expectClean(examination);
  });

  it('a proxy that ends bodies at 1 MiB', async () => {
    const examination = await look({
      before: (exchange) => (lengthOf(exchange) > MIB ? refuse(413) : undefined),
    });
    expect(troubles(examination)).toEqual({ 'chunk-length': 'limited', 'body-length': 'limited' });
    expect(examination.facts.bodyMaxBytes).toBeGreaterThan(MIB / 4);
    expect(examination.facts.bodyMaxBytes).toBeLessThanOrEqual(MIB);
    expect(examination.facts.chunkMaxBytes).toBe(MIB);
    await expectClean(examination);
  });

  it('a single POST that is ignored, or refused', async () => {
    const single = (exchange: Exchange) => isStart(exchange) && exchange.query.has('digest');
    const refused = await look({ before: on(single, refuse(415)) });
    expect(troubles(refused)).toEqual({ 'upload-post': 'not possible' });
    expect(refused.facts.singlePost).toBe(false);
    await expectClean(refused);
  });

  it('ranges ignored: parts cost their packfile', async () => {
    registry.setFaults(undefined);
    const examination = await look({
      before: (exchange) => {
        if (exchange.route === 'blob') delete exchange.headers.range;
        return undefined;
      },
    });
    expect(troubles(examination)).toEqual({ range: 'limited' });
    await expectClean(examination);
  });

  it('tags that cannot be moved', async () => {
    const seen = new Set<string>();
    const examination = await look({
      before: (exchange) => {
        if (!isManifest('PUT')(exchange)) return undefined;
        if (seen.has(exchange.reference ?? ''))
          return refuse(400, 'TAG_INVALID', 'the repository is immutable');
        seen.add(exchange.reference ?? '');
        return undefined;
      },
    });
    expect(troubles(examination)).toEqual({ 'tag-mutability': 'limited' });
    expect(examination.facts.tagsMutable).toBe(false);
    expect(examination.advice.map(({ reason }) => reason).join()).toContain('locks-*');
    await expectClean(examination);
  });

  it('artifactType refused', async () => {
    const examination = await look({
      before: on((exchange) => isManifest('PUT')(exchange), refuse(405, 'UNSUPPORTED', 'Invalid JSON'), [0]),
    });
    expect(troubles(examination)).toEqual({ 'artifact-type': 'not possible' });
    expect(examination.facts.artifactTypeRefused).toBe(true);
    expect(examination.works).toBe(true);
    await expectClean(examination);
  });

  it('deletion by digest alone (Harbor, ACR)', async () => {
    const examination = await look({
      before: (exchange) =>
        isManifest('DELETE')(exchange) && isTagged(exchange) ? refuse(405, 'UNSUPPORTED') : undefined,
    });
    expect(troubles(examination)).toEqual({ 'delete-tag': 'not possible' });
    expect(examination.facts).toMatchObject({ tagDelete: false, digestDelete: true });
    await expectClean(examination);
  });

  it('deletion by digest only of what has no tag (Google)', async () => {
    const tags = new Set<string>();
    const examination = await look({
      before: (exchange) => {
        const { reference = '' } = exchange;
        if (isManifest('DELETE')(exchange) && isTagged(exchange)) tags.delete(reference);
        if (isManifest('PUT')(exchange)) tags.add(reference);
        const dangling = isManifest('DELETE')(exchange) && !isTagged(exchange) && tags.size > 0;
        return dangling ? refuse(400, 'GOOGLE_MANIFEST_DANGLING_TAG') : undefined;
      },
    });
    expect(troubles(examination)).toEqual({ 'delete-digest': 'limited' });
    expect(examination.facts).toMatchObject({ tagDelete: true, digestDelete: true });
    await expectClean(examination);
  });

  it('a deletion that is accepted and does nothing', async () => {
    const examination = await look({
      before: (exchange) => (isManifest('DELETE')(exchange) && isTagged(exchange) ? refuse(202) : undefined),
    });
    expect(troubles(examination)).toEqual({ 'delete-tag': 'limited' });
    expect(examination.facts.tagDelete).toBe(false);
    await expectClean(examination);
  });

  it('no deletion at all: what stays is named', async () => {
    const examination = await look({
      before: (exchange) => (exchange.method === 'DELETE' ? refuse(405, 'UNSUPPORTED') : undefined),
    });
    expect(troubles(examination)).toEqual({
      'session-cancel': 'not possible',
      'delete-tag': 'not possible',
      'delete-digest': 'not possible',
      'delete-blob': 'not possible',
    });
    expect(examination.works).toBe(true);
    const tags = await tagsOf(registry.address, REPOSITORY);
    expect(tags).toHaveLength(2);
    expect([...examination.leftovers.tags].sort()).toEqual(tags.sort());
    expect(examination.leftovers.manifests).toHaveLength(3);
    expect(examination.leftovers.blobs).toBeGreaterThan(0);
    expect(examination.advice.map(({ reason }) => reason).join()).toContain('tombstones');
  });

  it('all tags at once, and a malformed Link', async () => {
    const withLink = (link: string) => (exchange: Exchange) => exchange.route === 'tags' && link;
    const none = await look({
      answer: (exchange, answer) => (withLink(' ')(exchange) ? withHeaders(answer, { link: '' }) : undefined),
    });
    expect(troubles(none)).toEqual({ pagination: 'limited' });
    const bare = await look({
      answer: (exchange, answer) =>
        exchange.route === 'tags' && answer.headers.link
          ? withHeaders(answer, { link: answer.headers.link.replace(/[<>]/g, '') })
          : undefined,
    });
    expect(troubles(bare)).toEqual({ pagination: 'limited' });
  });

  it('a clock that is five minutes ahead', async () => {
    const examination = await look({
      answer: (exchange, answer) =>
        exchange.route === 'ping'
          ? withHeaders(answer, { date: new Date(Date.now() + 300_000).toUTCString() })
          : undefined,
    });
    expect(troubles(examination)).toEqual({ clock: 'limited' });
    expect(examination.findings.find(({ name }) => name === 'clock')?.detail).toMatch(
      /^(299|300|301) s ahead/,
    );
  });

  it('what was stored is to be seen late', async () => {
    const examination = await look({ before: on(isManifest('GET'), refuse(404), [0, 1]) });
    expect(troubles(examination)).toEqual({ 'read-after-write': 'limited' });
    await expectClean(examination);
    // A look at the moved tag that comes too early is no sign of immutable tags. (The first read is of CONFIG now.)
    expect(troubles(await look({ before: on(isManifest('GET'), refuse(404), [2]) }))).toEqual({});
  });
});

describe('where a store cannot work', () => {
  it.each([
    ['credentials are missing', 401, /credentials are missing/],
    ['the account may not write', 403, /may not, or a quota is full/],
    ['the repository has to be created first', 404, /has to be created first/],
  ])('%s', async (_, status, detail) => {
    const code = status === 404 ? 'NAME_UNKNOWN' : 'DENIED';
    const examination = await look({ before: on(isStart, refuse(status, code)) });
    expect(examination.works).toBe(false);
    expect(examination.findings.find(({ name }) => name === 'push')).toMatchObject({
      verdict: 'failed',
      essential: true,
      detail: expect.stringMatching(detail),
    });
    expect(examination.findings.find(({ name }) => name === 'manifest')?.verdict).toBe('skipped');
    await expectClean(examination);
  });

  it('no form of upload goes through', async () => {
    const examination = await look({ before: firstOf(on(isPatch, refuse(400)), on(isCommit, refuse(400))) });
    expect(examination.works).toBe(false);
    await expectClean(examination);
  });

  it('artifacts are refused in every form', async () => {
    const examination = await look({ before: on(isManifest('PUT'), refuse(400, 'MANIFEST_INVALID')) });
    expect(examination.works).toBe(false);
    await expectClean(examination);
  });

  it('bytes come back changed', async () => {
    const examination = await look({
      body: (exchange, chunk) => (exchange.route === 'blob' ? chunk.map((byte) => byte ^ 1) : chunk),
    });
    expect(examination.works).toBe(false);
    expect(troubles(examination)).toMatchObject({ 'goodput-down': 'failed', range: 'failed' });
    await expectClean(examination);
  });

  it('nobody answers', async () => {
    const { address } = registry;
    await registry.close();
    const open = openOciStore(`oci://${address}/a/b`, { retry: { ...FAST_RETRY, maxAttempts: 1 } });
    const examination = await examine(open);
    await open.close();
    expect(examination.works).toBe(false);
    expect(examination.findings[0]).toMatchObject({ name: 'reach', verdict: 'failed', essential: true });
    registry = await startRegistry();
  });

  it('a web server is no registry', async () => {
    const page = {
      kind: 'respond',
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<html>',
    } as const;
    const examination = await look({ before: () => page });
    expect(examination.works).toBe(false);
    expect(examination.findings.find(({ name }) => name === 'api')?.detail).toContain('a web page');
  });
});

describe('an interruption', () => {
  it.each([
    ['in the middle of a chunk', isPatch, 2],
    ['before a commit', isCommit, 3],
    ['after tags were made', isManifest('DELETE'), 0],
  ] as const)('%s leaves nothing behind', async (_, kind, ordinal) => {
    const stop = new AbortController();
    const examination = await look(
      {
        before: (exchange) => {
          if (kind(exchange) && exchange.ordinal === ordinal) stop.abort();
          return undefined;
        },
      },
      { signal: stop.signal },
    );
    expect(stop.signal.aborted).toBe(true);
    expect(examination.complete).toBe(false);
    await expectClean(examination);
  });
});

describe('what it learns', () => {
  it('is what the next push starts from', async () => {
    const folder: Scratch = await scratch('doctor');
    vi.stubEnv('KLOSET_OCI_STATE_DIR', folder.path);
    const limit: FaultPlan = { before: (exchange) => (lengthOf(exchange) > MIB ? refuse(413) : undefined) };
    await look(limit);
    let refused = 0;
    registry.setFaults({
      before: (exchange) => {
        const action = limit.before?.(exchange);
        if (action) refused++;
        return action;
      },
    });
    const open = openOciStore(`oci://${registry.address}/${REPOSITORY}`, { retry: FAST_RETRY });
    await open.store.put(refOf(1), bufferSource(seededBytes(1, 5 * MIB), 'x'));
    await open.close();
    expect(refused).toBe(0);
    await folder.remove();
  });
});

describe('TLS', () => {
  it('names the certificate, and that this machine does not trust it', async () => {
    const folder = await scratch('doctor-tls');
    const { key, cert } = await selfSigned(folder.path);
    await folder.remove();
    const secure = await startRegistry({ tls: { key, cert } });
    const open = openOciStore(`oci://${secure.address}/a/b`, { useTls: true, retry: FAST_RETRY });
    const { works, findings } = await examine(open);
    await open.close();
    await secure.close();
    expect(works).toBe(false);
    expect(findings.slice(0, 2)).toMatchObject([
      { name: 'reach', verdict: 'failed', detail: expect.stringContaining('self-signed') },
      {
        name: 'tls',
        verdict: 'limited',
        detail: expect.stringMatching(/^TLSv1\.3, certificate of .+, .*not trusted by this machine/),
      },
    ]);
  });

  it('is said to be missing where the name is not of this machine', () => {
    const context = {
      exchange: { reference: { origin: 'http://registry.example:5000' } },
    } as unknown as DoctorContext;
    return expect(tls.run(context)).resolves.toMatchObject([
      { verdict: 'limited', detail: expect.stringContaining('plain HTTP: everything') },
    ]);
  });
});
