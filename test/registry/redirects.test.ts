/** Redirects and upload locations on another server: followed, and without anything that is meant for the registry. */
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { headBlob, readBlob } from '../../src/registry/blobs.ts';
import { readExcerpt } from '../../src/registry/body.ts';
import { composeTransport, type TransportPolicy } from '../../src/registry/compose.ts';
import { type Exchange, makeExchange } from '../../src/registry/exchange.ts';
import { httpTransport } from '../../src/registry/httpTransport.ts';
import { getManifest, putManifest } from '../../src/registry/manifests.ts';
import { isPrivateAddress } from '../../src/registry/reference.ts';
import { RequestCounter } from '../../src/registry/requestStats.ts';
import type { NetworkOptions } from '../../src/registry/routes.ts';
import type { RequestBody } from '../../src/registry/transport.ts';
import { commitUpload, patchChunk, startUpload, uploadStatus } from '../../src/registry/uploads.ts';
import { type Authority, type Issued, makeAuthority } from '../support/certificates.ts';
import { startConnectProxy } from '../support/connectProxy.ts';
import { type LocalServer, localServer, type Seen } from '../support/localServer.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const CONTENT = 'the bytes of the blob';
const open: { close(): Promise<void> }[] = [];
let folder: Scratch;
let authority: Authority;
let issued: Issued;

beforeAll(async () => {
  folder = await scratch('redirects');
  authority = await makeAuthority(join(folder.path, 'ca'));
  issued = await authority.issue({ names: 'IP:127.0.0.1,DNS:localhost,DNS:registry.test' });
});

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

afterAll(() => folder.remove());

async function serve(listener: RequestListener, tls?: object): Promise<LocalServer> {
  const server = await localServer(tls, listener);
  open.unshift(server);
  return server;
}

/** A policy without any care: it adds to every request, wherever that goes. */
const careless: TransportPolicy = (next) => (request) =>
  next({ ...request, headers: { ...request.headers, Authorization: 'Basic bWU6aHVzaA==', cookie: 'sid=1' } });

function exchangeWith(origin: string, network: NetworkOptions = { env: {} }): Exchange {
  const http = httpTransport({}, { origin, ...network });
  open.unshift(http);
  const policies = { counter: new RequestCounter(), credentials: careless, origin };
  const reference = { origin, registry: new URL(origin).host, repository: 'a/b' };
  return makeExchange(reference, composeTransport(http.send, policies));
}

const at = ({ port }: LocalServer, host = '127.0.0.1') => `http://${host}:${port}`;
const redirecting =
  (to: () => string, status = 307): RequestListener =>
  (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(status, { location: `${to()}${request.url}`, 'set-cookie': 'sid=secret; Path=/' });
      response.end();
    });
  };
const storing: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    const { method = '', url = '' } = request;
    if (method === 'POST') response.writeHead(202, { location: '/v2/a/b/blobs/uploads/1' });
    else if (method === 'PATCH') response.writeHead(202, { location: url });
    else if (method === 'PUT') response.writeHead(201);
    response.end(method === 'GET' ? CONTENT : undefined);
  });
};
const collect = async (chunks: AsyncIterable<Uint8Array>) => {
  let text = '';
  for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  return text;
};
const body = (text: string): RequestBody => ({ bytes: text.length, slices: () => [Buffer.from(text)] });

function expectPersonal(seen: readonly Seen[], expected: boolean): void {
  expect(seen.length).toBeGreaterThan(0);
  for (const { headers } of seen) {
    expect('authorization' in headers).toBe(expected);
    expect('cookie' in headers).toBe(expected);
    if (expected) expect(headers.cookie).toBe('sid=1');
  }
}

describe('nothing personal goes to another origin', () => {
  test.each([301, 302, 303, 307, 308])('with a blob or a manifest that is elsewhere (%i)', async (status) => {
    const storage = await serve(storing);
    const registry = await serve(redirecting(() => at(storage), status));
    const exchange = exchangeWith(at(registry));
    expect(await collect(readBlob(exchange, DIGEST, { offset: 0 }))).toBe(CONTENT);
    expect(await headBlob(exchange, DIGEST)).toBe(CONTENT.length);
    expect(Buffer.from((await getManifest(exchange, 'tag'))?.bytes ?? []).toString()).toBe(CONTENT);
    expectPersonal(registry.seen, true);
    expectPersonal(storage.seen, false);
  });

  test.each([307, 308])('with an upload and a manifest that are sent on (%i)', async (status) => {
    const storage = await serve(storing);
    const registry = await serve(redirecting(() => at(storage), status));
    const exchange = exchangeWith(at(registry));
    await putManifest(exchange, 'tag', Buffer.from('{}'));
    const session = await startUpload(exchange);
    // A relative Location counts from where it came from.
    expect(session).toMatchObject({ url: new URL(`${at(storage)}/v2/a/b/blobs/uploads/1`) });
    expectPersonal(registry.seen, true);
    expectPersonal(storage.seen, false);
    expect(storage.seen.map(({ method }) => method)).toEqual(['PUT', 'POST']);
    expect(storage.seen[0]?.headers['content-length']).toBe('2');
  });

  test('with an upload session that lives elsewhere', async () => {
    const storage = await serve(storing);
    const registry = await serve((_, response) => {
      response.writeHead(202, { location: `${at(storage)}/v2/a/b/blobs/uploads/1?state=x` }).end();
    });
    const exchange = exchangeWith(at(registry));
    const session = await startUpload(exchange);
    if (session === 'mounted') throw new Error('nothing was to be mounted');
    const sent = await patchChunk(exchange, session, body('abc'), 0);
    expect(await uploadStatus(exchange, session)).toBeDefined();
    expect(await commitUpload(exchange, sent.session, DIGEST, undefined, undefined)).toMatchObject({
      ok: true,
    });
    expect(storage.seen.map(({ method }) => method)).toEqual(['PATCH', 'GET', 'PUT']);
    expectPersonal(registry.seen, true);
    expectPersonal(storage.seen, false);
  });

  test('another port, scheme or name of the same machine is another origin', async () => {
    const storage = await serve(storing);
    const registry = await serve(redirecting(() => at(storage, 'localhost')));
    await collect(readBlob(exchangeWith(at(registry)), DIGEST, { offset: 0 }));
    expectPersonal(storage.seen, false);
  });

  test('but to the registry itself, also after a detour', async () => {
    const storage = await serve(redirecting(() => `${at(registry)}/home`));
    const registry = await serve((request, response) =>
      request.url?.startsWith('/home')
        ? storing(request, response)
        : redirecting(() => at(storage))(request, response),
    );
    expect(await collect(readBlob(exchangeWith(at(registry)), DIGEST, { offset: 0 }))).toBe(CONTENT);
    expectPersonal(registry.seen, true);
    expectPersonal(storage.seen, false);
  });

  test('nor the client certificate', async () => {
    const tls = { cert: issued.cert, key: issued.key, requestCert: true, rejectUnauthorized: false };
    const storage = await serve(storing, tls);
    const registry = await serve(
      redirecting(() => at(storage).replace('http', 'https')),
      tls,
    );
    const { certFile, keyFile } = issued;
    const exchange = exchangeWith(at(registry).replace('http', 'https'), {
      tls: { caFile: authority.caFile, certFile, keyFile },
      env: {},
    });
    expect(await collect(readBlob(exchange, DIGEST, { offset: 0 }))).toBe(CONTENT);
    expect(registry.seen.map(({ client }) => client)).toEqual(['issued']);
    expect(storage.seen.map(({ client }) => client)).toEqual([undefined]);
  });
});

test('a token service is asked with what the policy of credentials says', async () => {
  const service = await serve(storing);
  const { transport } = exchangeWith('http://127.0.0.1:1');
  await readExcerpt(await transport({ kind: 'token', method: 'GET', url: new URL(`${at(service)}/token`) }));
  expectPersonal(service.seen, true);
});

test('cookies are neither kept nor sent back', async () => {
  const registry = await serve((_, response) => {
    response.writeHead(200, { 'set-cookie': 'sid=secret; Path=/' }).end(CONTENT);
  });
  const http = httpTransport({}, { env: {} });
  open.unshift(http);
  const exchange = makeExchange({ origin: at(registry), registry: 'here', repository: 'a/b' }, http.send);
  for (let time = 0; time < 3; time++) await getManifest(exchange, 'tag');
  expect(registry.seen.map(({ headers }) => headers.cookie)).toEqual([undefined, undefined, undefined]);
});

describe('redirects that are not followed', () => {
  test.each([301, 302, 303])('%i for what is sent', async (status) => {
    const storage = await serve(storing);
    const registry = await serve(redirecting(() => at(storage), status));
    const exchange = exchangeWith(at(registry));
    await expect(putManifest(exchange, 'tag', Buffer.from('{}'))).rejects.toMatchObject({
      details: { status },
    });
    await expect(startUpload(exchange)).rejects.toMatchObject({ details: { status } });
    expect(storage.seen).toEqual([]);
  });

  test('in a circle', async () => {
    const registry = await serve(redirecting(() => at(registry)));
    const exchange = exchangeWith(at(registry));
    await expect(getManifest(exchange, 'tag')).rejects.toMatchObject({ code: 'REGISTRY_FOREIGN' });
    expect(registry.seen).toHaveLength(6);
  });

  test('to what is no URL, or no HTTP', async () => {
    for (const location of ['http://[', 'file:///etc/passwd']) {
      const registry = await serve((_, response) => response.writeHead(307, { location }).end());
      await expect(getManifest(exchangeWith(at(registry)), 'tag')).rejects.toMatchObject({
        code: 'REGISTRY_FOREIGN',
      });
    }
  });

  test('from plain HTTP to TLS of the same host: it wants to be spoken to so from the start', async () => {
    const registry = await serve((request, response) => {
      response.writeHead(301, { location: `https://127.0.0.1:1${request.url}` }).end();
    });
    await expect(getManifest(exchangeWith(at(registry)), 'tag')).rejects.toMatchObject({
      code: 'TLS_MISMATCH',
      message: expect.stringContaining('127.0.0.1:1 in the location, and set --use-tls true'),
    });
  });

  /** A registry with a public name, which this machine reaches through a proxy. */
  const publicRegistry = async (to: string, tls?: object) => {
    const registry = await serve((_, response) => response.writeHead(307, { location: to }).end(), tls);
    const proxy = await startConnectProxy();
    open.unshift(proxy);
    const origin = `${tls ? 'https' : 'http'}://registry.test:${registry.port}`;
    const env = { ALL_PROXY: `http://127.0.0.1:${proxy.port}` };
    return { exchange: exchangeWith(origin, { tls: { caFile: authority.caFile }, env }), proxy };
  };

  test.each([
    'http://127.0.0.1/x',
    'http://localhost/x',
    'http://10.1.2.3/x',
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]/x',
    'http://[::ffff:10.1.2.3]/x',
    'http://0x7f000001/x',
    'http://[fd00::1]/x',
  ])('from a public registry to %s', async (to) => {
    const { exchange, proxy } = await publicRegistry(to);
    await expect(getManifest(exchange, 'tag')).rejects.toMatchObject({
      code: 'REGISTRY_FOREIGN',
      message: expect.stringContaining('private address'),
    });
    expect(proxy.asked).toHaveLength(1);
  });

  test('from TLS to plain HTTP', async () => {
    const { exchange } = await publicRegistry('http://storage.test/x', {
      cert: issued.cert,
      key: issued.key,
    });
    await expect(getManifest(exchange, 'tag')).rejects.toMatchObject({
      code: 'REGISTRY_FOREIGN',
      message: expect.stringContaining('leave TLS'),
    });
  });
});

test.each([
  ['10.0.0.1', true],
  ['172.15.0.1', false],
  ['172.31.255.255', true],
  ['100.64.0.1', true],
  ['100.128.0.1', false],
  ['0.0.0.0', true],
  ['8.8.8.8', false],
  ['[::]', true],
  ['[::ffff:7f00:1]', true],
  ['[::ffff:808:808]', false],
  ['[64:ff9b::a00:1]', true],
  ['[64:ff9b::808:808]', false],
  ['[fe80::1]', true],
  ['[fdab::1]', true],
  ['[2001:db8::1]', false],
  ['10.example.org', false],
  ['localhost', true],
])('%s is private: %s', (host, expected) => expect(isPrivateAddress(host)).toBe(expected));
