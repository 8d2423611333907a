/** What each fault does on the wire, seen by a client that does nothing about it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseFaults } from '../../src/emulator/faults/index.ts';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { call, errorCode, manifestOf, openUpload, pushBlob, putManifest, sha } from './support.ts';

const REPO = '/v2/a/b';
const BYTES = Buffer.from('0123456789'.repeat(20_000));

describe('faults on the wire', () => {
  let registry: RunningRegistry;
  let nowMs: number;
  beforeEach(async () => {
    registry = await startRegistry();
    nowMs = 0;
  });
  afterEach(() => registry.close());

  const misbehave = (...specs: string[]) => {
    const plan = parseFaults(specs, { nowMs: () => nowMs });
    registry.setFaults(plan);
    return plan;
  };

  test.each([
    ['429:spelling=ecr', 429, /TOOMANYREQUESTS.*Rate exceeded/],
    ['429:spelling=dockerhub', 429, /docker\.com\/increase-rate-limit/],
    ['429:spelling=dockerhub-abuse', 429, /^429 Too Many Requests$/],
    ['429:spelling=ghcr', 429, /retry-after: 880\.092µs, allowed: 44000\/minute/],
    ['403:spelling=ghcr-secondary', 403, /secondary rate limit/],
    ['429:spelling=mcr', 429, /^Ref A:/],
    ['429:spelling=quay', 429, /^<html>/],
    ['429:spelling=harbor', 429, /TOO_MANY_REQUEST"/],
    ['429:spelling=zot', 429, /^Too Many Requests$/],
    ['416:spelling=artifactory', 416, /^{"errors":\[{"status":416}\]}$/],
    ['503:spelling=empty', 503, /^$/],
    ['418:code=TEAPOT,message="short, and stout"', 418, /TEAPOT.*short, and stout/],
  ])('%s', async (spec, status, said) => {
    misbehave(spec);
    const reply = await call(registry, 'GET', '/v2/');
    expect(reply.status).toBe(status);
    expect(reply.body.toString()).toMatch(said);
  });

  test.each([
    ['3', /^3$/],
    ['soon', /^soon$/],
    ['absent', /^undefined$/],
    ['date-60s', /GMT$/],
  ])('Retry-After %s', async (value, sent) => {
    misbehave(`429:retry-after=${value}`);
    expect(String((await call(registry, 'GET', '/v2/')).headers['retry-after'])).toMatch(sent);
  });

  test('Retry-After as a date lies where it was asked for', async () => {
    misbehave('429:retry-after=date+90s');
    const { headers } = await call(registry, 'GET', '/v2/');
    const inMs = Date.parse(String(headers['retry-after'])) - Date.now();
    expect(inMs).toBeGreaterThan(80_000);
    expect(inMs).toBeLessThanOrEqual(90_000);
  });

  test('a share of the request is handled before a reset, and the session can be made to go with it', async () => {
    misbehave('reset@upload-chunk:at=40%,nth=1', 'reset@upload-chunk:at=10%,nth=2,session=gone');
    const location = await openUpload(registry, 'a/b');
    await expect(call(registry, 'PATCH', location, { body: BYTES })).rejects.toThrow();
    expect(registry.openSessions()).toMatchObject([{ bytes: BYTES.length * 0.4 }]);
    await expect(call(registry, 'PATCH', location, { body: BYTES })).rejects.toThrow();
    await expect.poll(() => registry.openSessions(), { interval: 1 }).toEqual([]);
  });

  test('answers are cut, shortened and corrupted at a share of their length', async () => {
    const digest = await pushBlob(registry, 'a/b', BYTES);
    const path = `${REPO}/blobs/${digest}`;
    misbehave(
      'reset@blob-read:at=50%,nth=1',
      'truncate@blob-read:at=25%,nth=2',
      'corrupt@blob-read:at=75%,nth=3',
    );
    await expect(call(registry, 'GET', path)).rejects.toThrow();
    const short = await call(registry, 'GET', path);
    expect([short.headers['content-length'], short.body.length]).toEqual(['50000', 50_000]);
    const wrong = (await call(registry, 'GET', path)).body;
    const differing = [...wrong.keys()].filter((at) => wrong[at] !== BYTES[at]);
    expect(differing).toEqual([150_000]);
    expect((await call(registry, 'GET', path)).body.equals(BYTES)).toBe(true);
  });

  test('a corrupted upload is stored as it was not sent', async () => {
    misbehave('corrupt@upload-commit:nth=1');
    await expect(pushBlob(registry, 'a/b', BYTES)).rejects.toThrow(/DIGEST_INVALID/);
    await pushBlob(registry, 'a/b', BYTES);
  });

  test('a request is handled twice', async () => {
    misbehave('duplicate@upload-chunk:nth=1', 'duplicate@upload-start:nth=2', 'duplicate@manifest-delete');
    const location = await openUpload(registry, 'a/b');
    expect((await call(registry, 'PATCH', location, { body: 'abc' })).headers.range).toBe('0-5');
    await openUpload(registry, 'a/b');
    expect(registry.openSessions().length).toBe(3);
    await putManifest(registry, 'a/b', 't', await manifestOf(registry, 'a/b'));
    expect((await call(registry, 'DELETE', `${REPO}/manifests/t`)).status).toBe(404);
  });

  test('an answer is sent twice', async () => {
    misbehave('echo@ping');
    const socket = connect(registry.port, registry.host);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
    socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(() => text.split('HTTP/1.1 200').length - 1, { interval: 1 }).toBe(2);
    socket.destroy();
  });

  test('a body of an answer or a request moves at its pace', async () => {
    const digest = await pushBlob(registry, 'a/b', BYTES);
    misbehave('drip@blob-read+upload-commit:rate=1MiB/s');
    const startedMs = performance.now();
    expect((await call(registry, 'GET', `${REPO}/blobs/${digest}`)).body.equals(BYTES)).toBe(true);
    const readMs = performance.now() - startedMs;
    await pushBlob(registry, 'a/b', BYTES);
    // 200 kB at 1 MiB/s are 190 ms; a timer may be early by a little.
    expect(readMs).toBeGreaterThan(150);
    expect(performance.now() - startedMs - readMs).toBeGreaterThan(120);
  });

  test('a request can be handled and its answer be another one', async () => {
    misbehave('502@upload-commit:handled,spelling=nginx');
    await expect(pushBlob(registry, 'a/b', 'abc')).rejects.toThrow('502');
    expect((await call(registry, 'HEAD', `${REPO}/blobs/${sha('abc')}`)).status).toBe(200);
  });

  test('what was written shows after a time, or after some reads', async () => {
    misbehave('eventual@manifest-read+tag-list:for=2s', 'eventual@blob-head:reads=1');
    await putManifest(registry, 'a/b', 't', await manifestOf(registry, 'a/b'));
    const seen = async () => [
      (await call(registry, 'GET', `${REPO}/manifests/t`)).status,
      JSON.parse((await call(registry, 'GET', `${REPO}/tags/list`)).body.toString()).tags,
      (await call(registry, 'HEAD', `${REPO}/blobs/${sha('{}')}`)).status,
    ];
    expect(await seen()).toEqual([404, [], 404]);
    nowMs = 2000;
    expect(await seen()).toEqual([200, ['t'], 200]);
  });

  test('a session ends after some requests, and only that session', async () => {
    misbehave('session-expiry:after=2,count=1');
    const statuses: number[] = [];
    const location = await openUpload(registry, 'a/b');
    for (let i = 0; i < 3; i++)
      statuses.push((await call(registry, 'PATCH', location, { body: 'a' })).status);
    expect(statuses).toEqual([202, 202, 404]);
    expect((await call(registry, 'PATCH', await openUpload(registry, 'a/b'), { body: 'a' })).status).toBe(
      202,
    );
  });

  test('garbage collection takes what no manifest names yet', async () => {
    misbehave('gc@manifest-write:nth=1');
    const manifest = await manifestOf(registry, 'a/b');
    expect(errorCode(await putManifest(registry, 'a/b', 't', manifest))).toBe('MANIFEST_BLOB_UNKNOWN');
    await manifestOf(registry, 'a/b');
    expect((await putManifest(registry, 'a/b', 't', manifest)).status).toBe(201);
  });

  test('a quota and a full disk count what was taken', async () => {
    misbehave('quota:bytes=5,spelling=harbor', 'disk-full@manifest-write:after=1,status=507');
    await pushBlob(registry, 'a/b', 'abc');
    await expect(pushBlob(registry, 'a/b', 'defg')).rejects.toThrow(/403.*DENIED/);
    const full = await putManifest(registry, 'a/b', 't', Buffer.from('{}'));
    expect([full.status, full.body.toString()]).toEqual([507, expect.stringContaining('no space left')]);
  });

  test('connections above a number are turned away', async () => {
    misbehave('connections:max=1');
    const first = connect(registry.port, registry.host);
    await once(first, 'connect');
    first.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(first, 'data');
    await expect(call(registry, 'GET', '/v2/')).rejects.toThrow();
    registry.setFaults(undefined);
    expect((await call(registry, 'GET', '/v2/')).status).toBe(200);
    first.destroy();
  });

  test('a restart forgets sessions, closes the port for a time, and listens again on the same one', async () => {
    misbehave('restart@upload-chunk:nth=1,down=150ms');
    const location = await openUpload(registry, 'a/b');
    const digest = await pushBlob(registry, 'a/b', 'abc');
    await expect(call(registry, 'PATCH', location, { body: 'abc' })).rejects.toThrow();
    await expect(call(registry, 'GET', '/v2/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const back = () =>
      call(registry, 'GET', location)
        .then(({ status }) => status)
        .catch(() => 0);
    await expect.poll(back, { interval: 10 }).toBe(404);
    expect((await call(registry, 'GET', `${REPO}/blobs/${digest}`)).status).toBe(200);
  });

  test('a restart at a time of its own, and a registry that is closed while it is away', async () => {
    misbehave('restart:at=20ms,down=60s');
    await expect
      .poll(
        () =>
          call(registry, 'GET', '/v2/')
            .then(() => 'there')
            .catch(() => 'away'),
        { interval: 5 },
      )
      .toBe('away');
    await registry.close();
  });

  test('rules for chunks are announced and enforced', async () => {
    misbehave('chunks:min=4,max=8,equal');
    const start = await call(registry, 'POST', `${REPO}/blobs/uploads/`);
    expect(start.headers).toMatchObject({ 'oci-chunk-min-length': '4', 'oci-chunk-max-length': '8' });
    const patch = async (body: string) =>
      (await call(registry, 'PATCH', String(start.headers.location), { body })).status;
    expect([await patch('123456789'), await patch('1'), await patch('12345'), await patch('12345')]).toEqual([
      416, 416, 202, 202,
    ]);
    expect([await patch('1234'), await patch('12345')]).toEqual([202, 416]);
  });

  test('the state of a location has to come back', async () => {
    misbehave('location:style=state');
    const first = await openUpload(registry, 'a/b');
    const second = String((await call(registry, 'PATCH', first, { body: 'a' })).headers.location);
    expect(second).not.toBe(first);
    expect((await call(registry, 'PATCH', first, { body: 'b' })).status).toBe(404);
    expect((await call(registry, 'PATCH', second, { body: 'b' })).status).toBe(202);
  });

  test('faults that change a request, and the slower of two paces, come together', async () => {
    misbehave(
      'ignore@blob-read:header=range',
      'ignore@blob-read:header=accept',
      'answer@blob-read:set-x-odd=yes',
    );
    const digest = await pushBlob(registry, 'a/b', 'abc');
    const reply = await call(registry, 'GET', `${REPO}/blobs/${digest}`, { headers: { Range: 'bytes=1-1' } });
    expect([reply.status, reply.body.toString(), reply.headers['x-odd']]).toEqual([200, 'abc', 'yes']);
  });
});
