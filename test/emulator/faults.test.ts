import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type FaultAction,
  type FaultPlan,
  type RunningRegistry,
  startRegistry,
} from '../../src/emulator/index.ts';
import { call, manifestOf, openUpload, pushBlob, putManifest, sha } from './support.ts';

/** A plan with one action for the first exchange of a method and route. */
function atFirst(method: string, route: string, action: FaultAction): FaultPlan {
  return {
    before: (exchange) =>
      exchange.method === method && exchange.route === route && exchange.ordinal === 0 ? action : undefined,
  };
}

describe('faults', () => {
  let registry: RunningRegistry;

  beforeEach(async () => {
    registry = await startRegistry();
  });

  afterEach(() => registry.close());

  test('respond in place of the registry, and count from the moment the plan is set', async () => {
    await openUpload(registry, 'a/b');
    registry.setFaults(
      atFirst('POST', 'upload-start', {
        kind: 'respond',
        status: 429,
        headers: { 'Retry-After': '7' },
        body: 'slow',
      }),
    );
    const first = await call(registry, 'POST', '/v2/a/b/blobs/uploads/');
    expect([first.status, first.headers['retry-after'], first.body.toString()]).toEqual([429, '7', 'slow']);
    expect((await call(registry, 'POST', '/v2/a/b/blobs/uploads/')).status).toBe(202);
    registry.setFaults(undefined);
    expect(registry.countRequests({ method: 'POST', route: 'upload-start' })).toBe(3);
  });

  test('respond without reading the body closes the connection', async () => {
    const location = await openUpload(registry, 'a/b');
    registry.setFaults(atFirst('PUT', 'upload-session', { kind: 'respond', status: 413, drain: false }));
    const socket = connect(registry.port, registry.host);
    socket.write(`PUT ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc`);
    const [head] = await once(socket, 'data');
    expect(String(head)).toContain('413');
    expect(String(head).toLowerCase()).toContain('connection: close');
    await once(socket.resume(), 'close');
  });

  test('reset at once leaves no trace', async () => {
    const location = await openUpload(registry, 'a/b');
    registry.setFaults(atFirst('PATCH', 'upload-session', { kind: 'reset' }));
    await expect(call(registry, 'PATCH', location, { body: 'abc' })).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    expect(registry.openSessions()).toMatchObject([{ bytes: 0 }]);
  });

  test.each(['PATCH', 'PUT'])('reset in the middle of a %s keeps exactly that many bytes', async (method) => {
    const location = await openUpload(registry, 'a/b');
    const bytes = randomBytes(500_000);
    registry.setFaults(atFirst(method, 'upload-session', { kind: 'reset', afterRequestBytes: 123_456 }));
    const path = `${location}?digest=${sha(bytes)}`;
    await expect(call(registry, method, path, { body: bytes })).rejects.toThrow();
    expect(registry.openSessions()).toMatchObject([{ bytes: 123_456 }]);
    expect(registry.requestLog().at(-1)).toMatchObject({ method, status: 0, requestBytes: 123_456 });
    expect((await call(registry, 'GET', location)).headers.range).toBe('0-123455');
    const rest = await call(registry, 'PUT', path, { body: bytes.subarray(123_456) });
    expect(rest.status).toBe(201);
  });

  test('a byte count that the body does not reach changes nothing', async () => {
    registry.setFaults(atFirst('PUT', 'upload-session', { kind: 'reset', afterRequestBytes: 100 }));
    await pushBlob(registry, 'a/b', 'short');
  });

  test.each([0, 100_000])('stall after %d bytes lasts until the socket closes', async (afterRequestBytes) => {
    const location = await openUpload(registry, 'a/b');
    registry.setFaults(atFirst('PATCH', 'upload-session', { kind: 'stall', afterRequestBytes }));
    const socket = connect(registry.port, registry.host);
    let answered = false;
    socket.on('data', () => {
      answered = true;
    });
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n`);
    socket.write(Buffer.alloc(200_000));
    const counted = () => [registry.countRequests({ method: 'PATCH' }), registry.openSessions()[0]?.bytes];
    await expect.poll(counted, { interval: 1 }).toEqual([1, afterRequestBytes]);
    // Another connection is served meanwhile, and may go on with the session.
    const next = await call(registry, 'PATCH', location, { body: 'abc' });
    expect(next.headers.range).toBe(`0-${afterRequestBytes + 2}`);
    expect(answered).toBe(false);
    socket.destroy();
  });

  test('lose-response handles the request', async () => {
    const location = await openUpload(registry, 'a/b');
    registry.setFaults(atFirst('PUT', 'upload-session', { kind: 'lose-response' }));
    await expect(
      call(registry, 'PUT', `${location}?digest=${sha('abc')}`, { body: 'abc' }),
    ).rejects.toThrow();
    expect((await call(registry, 'HEAD', `/v2/a/b/blobs/${sha('abc')}`)).status).toBe(200);
    expect(registry.openSessions()).toEqual([]);
  });

  test.each([0, 1, 150_000])('cut-response after %d bytes', async (afterResponseBytes) => {
    const bytes = randomBytes(400_000);
    const digest = await pushBlob(registry, 'a/b', bytes);
    registry.setFaults(atFirst('GET', 'blob', { kind: 'cut-response', afterResponseBytes }));
    const socket = connect(registry.port, registry.host);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.write(`GET /v2/a/b/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, 'close');
    const all = Buffer.concat(chunks);
    const head = all.indexOf('\r\n\r\n') + 4;
    expect(all.subarray(0, head).toString()).toContain('content-length: 400000');
    expect(all.subarray(head).equals(bytes.subarray(0, afterResponseBytes))).toBe(true);
  });

  test.each([0, 150_000])('stall-response after %d bytes', async (afterResponseBytes) => {
    const digest = await pushBlob(registry, 'a/b', randomBytes(400_000));
    registry.setFaults(atFirst('GET', 'blob', { kind: 'stall-response', afterResponseBytes }));
    const socket = connect(registry.port, registry.host);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
    socket.write(`GET /v2/a/b/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await expect
      .poll(() => text.length - text.indexOf('\r\n\r\n') - 4, { interval: 1 })
      .toBe(afterResponseBytes);
    expect(socket.readyState).toBe('open');
    socket.destroy();
  });

  test('the answer hook edits status and headers', async () => {
    registry.setFaults({
      answer: ({ route }, { status, headers }) =>
        route === 'upload-start'
          ? { status: 201, headers: { ...headers, range: '0--1' } }
          : { status, headers },
    });
    const reply = await call(registry, 'POST', '/v2/a/b/blobs/uploads/');
    expect([reply.status, reply.headers.range]).toEqual([201, '0--1']);
    expect((await call(registry, 'GET', String(reply.headers.location))).status).toBe(204);
  });

  test('the body hook changes the answer and not the store', async () => {
    const digest = await pushBlob(registry, 'a/b', 'abc');
    const manifest = await manifestOf(registry, 'a/b');
    await putManifest(registry, 'a/b', 't', manifest);
    registry.setFaults({ body: (_, chunk) => chunk.fill(120) });
    expect((await call(registry, 'GET', `/v2/a/b/blobs/${digest}`)).body.toString()).toBe('xxx');
    expect((await call(registry, 'GET', '/v2/a/b/manifests/t')).body.toString()).toMatch(/^x+$/);
    registry.setFaults(undefined);
    expect((await call(registry, 'GET', `/v2/a/b/blobs/${digest}`)).body.toString()).toBe('abc');
    expect((await call(registry, 'GET', '/v2/a/b/manifests/t')).body.equals(manifest)).toBe(true);
  });

  test('a stalled exchange does not hold up close()', async () => {
    registry.setFaults(atFirst('GET', 'ping', { kind: 'stall' }));
    const pending = call(registry, 'GET', '/v2/');
    const broken = expect(pending).rejects.toThrow();
    await expect.poll(() => registry.countRequests(), { interval: 1 }).toBe(1);
    await registry.close();
    await broken;
  });

  test('the log tells what happened and can be reset', async () => {
    const digest = await pushBlob(registry, 'a/b', 'abc');
    await call(registry, 'GET', `/v2/a/b/blobs/${digest}`);
    expect(registry.requestLog()).toMatchObject([
      { method: 'POST', route: 'upload-start', status: 202 },
      { method: 'PUT', route: 'upload-session', status: 201, requestBytes: 3 },
      { method: 'GET', route: 'blob', path: `/v2/a/b/blobs/${digest}`, status: 200, responseBytes: 3 },
    ]);
    registry.resetRequestLog();
    expect([registry.countRequests(), registry.requestLog()]).toEqual([0, []]);
  });
});
