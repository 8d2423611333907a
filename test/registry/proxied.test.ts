/** Requests through a real proxy. `registry.test` exists only there. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readExcerpt } from '../../src/registry/body.ts';
import { type HttpOptions, type HttpTransport, httpTransport } from '../../src/registry/httpTransport.ts';
import { type Authority, type Issued, makeAuthority } from '../support/certificates.ts';
import { type ConnectProxy, type ConnectProxyOptions, startConnectProxy } from '../support/connectProxy.ts';
import { localServer } from '../support/localServer.ts';
import { freePort } from '../support/ports.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

const CREDENTIALS = `Basic ${Buffer.from('me:hush hush').toString('base64')}`;
const HOST = 'registry.test';
let folder: Scratch;
let authority: Authority;
let issued: Issued;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  folder = await scratch('proxied');
  authority = await makeAuthority(folder.path);
  issued = await authority.issue({ names: `DNS:${HOST},IP:127.0.0.1` });
});

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

afterAll(() => folder.remove());

const opened = <T extends { close(): Promise<void> }>(resource: T): T => {
  open.unshift(resource);
  return resource;
};
const secure = async () => opened(await localServer({ cert: issued.cert, key: issued.key }));
const proxy = async (options: ConnectProxyOptions = {}) => opened(await startConnectProxy(options));
const address = ({ port }: ConnectProxy, credentials = '') => `http://${credentials}127.0.0.1:${port}`;

interface Means {
  env: Record<string, string>;
  scheme?: 'http' | 'https';
  http?: HttpOptions;
  insecureNoVerify?: boolean;
}

function transport({ env, http = {}, insecureNoVerify }: Means): HttpTransport {
  const tls = insecureNoVerify ? { insecureNoVerify } : { caFile: authority.caFile };
  return opened(httpTransport(http, { tls, env }));
}

function send(http: HttpTransport, server: { port: number }, scheme = 'https', bytes = 0) {
  const url = new URL(`${scheme}://${HOST}:${server.port}/v2/`);
  const body = { bytes, slices: () => [new Uint8Array(bytes)] };
  return http.send({ kind: 'ping', method: bytes ? 'PUT' : 'GET', url, ...(bytes > 0 && { body }) });
}

test('https goes through a tunnel, which is used again', async () => {
  const [server, via] = [await secure(), await proxy({ authorization: CREDENTIALS })];
  const http = transport({ env: { HTTPS_PROXY: address(via, 'me:hush%20hush@') } });
  for (let time = 0; time < 10; time++) expect(await readExcerpt(await send(http, server))).toBe('{}');
  expect(new Set(via.asked)).toEqual(new Set([`CONNECT ${HOST}:${server.port}`]));
  expect(via.asked.length).toBeLessThanOrEqual(2);
  expect(server.seen).toHaveLength(10);
  for (const { headers } of server.seen) {
    expect(headers.host).toBe(`${HOST}:${server.port}`);
    expect(headers).not.toHaveProperty('proxy-authorization');
  }
});

test('plain HTTP is asked of the proxy', async () => {
  const server = opened(await localServer());
  const via = await proxy({ authorization: CREDENTIALS });
  const http = transport({ env: { http_proxy: address(via, 'me:hush%20hush@') } });
  const answer = await send(http, server, 'http', 3_000_000);
  expect(await readExcerpt(answer)).toBe('{}');
  expect(via.asked).toEqual([`PUT http://${HOST}:${server.port}/v2/`]);
  expect(server.seen[0]?.headers).toMatchObject({
    host: `${HOST}:${server.port}`,
    'content-length': '3000000',
  });
});

test('a proxy may speak TLS itself', async () => {
  const server = await secure();
  const via = await proxy({ tls: { cert: issued.cert, key: issued.key } });
  const http = transport({ env: { https_proxy: `https://127.0.0.1:${via.port}` } });
  expect(await readExcerpt(await send(http, server))).toBe('{}');
  expect(via.asked).toEqual([`CONNECT ${HOST}:${server.port}`]);
});

test('no connection is made for this machine, or where NO_PROXY names the host', async () => {
  const [server, via] = [await secure(), await proxy()];
  const http = transport({ env: { HTTPS_PROXY: address(via) } });
  const url = new URL(`https://127.0.0.1:${server.port}/v2/`);
  expect(await readExcerpt(await http.send({ kind: 'ping', method: 'GET', url }))).toBe('{}');
  const exempt = transport({ env: { HTTPS_PROXY: address(via), NO_PROXY: '.test' } });
  await expect(send(exempt, server)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  expect(via.asked).toEqual([]);
});

test.each(['https', 'http'])('a proxy that is not there is named (%s)', async (scheme) => {
  const env = { ALL_PROXY: `http://me:hush@127.0.0.1:${await freePort()}` };
  const error = await send(transport({ env }), { port: 1 }, scheme).catch((thrown) => thrown);
  expect(error).toMatchObject({
    code: 'PROXY_FAILED',
    message: expect.stringMatching(/proxy http:\/\/127\.0\.0\.1:\d+ of ALL_PROXY .*ECONNREFUSED.*NO_PROXY/),
  });
  expectSecretFree(error);
});

test.each([
  ['https', '', /wants credentials \(407\)/],
  ['https', 'me:wrong@', /does not accept the credentials \(407\)/],
  ['http', '', /wants credentials \(407\)/],
  ['http', 'me:wrong@', /does not accept the credentials \(407\)/],
])('407 over %s with "%s"', async (scheme, credentials, pattern) => {
  const [server, via] = [await secure(), await proxy({ authorization: CREDENTIALS })];
  const http = transport({ env: { ALL_PROXY: address(via, credentials) } });
  for (const bytes of [0, 2_000_000]) {
    const error = await send(http, server, scheme, bytes).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'PROXY_FAILED', message: expect.stringMatching(pattern) });
    expectSecretFree(error);
  }
  expect(server.seen).toEqual([]);
});

test('a proxy that forbids the host, and one that cannot reach it, are told apart', async () => {
  const server = await secure();
  const strict = transport({ env: { ALL_PROXY: address(await proxy({ refuseWith: 403 })) } });
  await expect(send(strict, server)).rejects.toMatchObject({
    code: 'PROXY_FAILED',
    message: expect.stringMatching(/refuses the connection \(403\)/),
  });
  const lost = transport({ env: { ALL_PROXY: address(await proxy()) } });
  await expect(send(lost, { port: await freePort() })).rejects.toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    message: expect.stringMatching(/proxy .* could not connect \(502\)/),
  });
});

test('a port behind the proxy that is no proxy', async () => {
  const server = await secure();
  const http = transport({ env: { ALL_PROXY: `http://127.0.0.1:${server.port}` } });
  await expect(send(http, server)).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
    message: expect.stringMatching(/proxy .* broke the connection off.*HTTP proxy/),
  });
});

test('the registry’s certificate is checked through the tunnel', async () => {
  const via = await proxy();
  const { cert, key } = await authority.issue({ names: 'DNS:other.test' });
  const server = opened(await localServer({ cert, key }));
  const env = { ALL_PROXY: address(via) };
  await expect(send(transport({ env }), server)).rejects.toMatchObject({
    code: 'TLS_UNTRUSTED',
    message: expect.stringContaining('another host'),
  });
  expect(await readExcerpt(await send(transport({ env, insecureNoVerify: true }), server))).toBe('{}');
  const unknown = opened(httpTransport({}, { env }));
  await expect(send(unknown, await secure())).rejects.toMatchObject({
    code: 'TLS_UNTRUSTED',
    message: expect.stringContaining('--tls-ca-file'),
  });
});

test('the connections of many requests are bounded', async () => {
  const [server, via] = [await secure(), await proxy()];
  const http = transport({ env: { ALL_PROXY: address(via) }, http: { connections: 3 } });
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(http, server).then(readExcerpt)));
  expect(answers).toEqual(Array.from({ length: 20 }, () => '{}'));
  expect(via.asked.length).toBeLessThanOrEqual(3);
});

function expectSecretFree(error: Error): void {
  let text = '';
  for (let at: unknown = error; at instanceof Error; at = at.cause) text += `${at.message}\n${at.stack}`;
  expect(text).not.toMatch(/hush|wrong/);
}
