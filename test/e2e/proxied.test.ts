/** The compiled command line through a proxy: a bundle has other parts of undici than the sources. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startRegistry } from '../../src/emulator/index.ts';
import { makeAuthority } from '../support/certificates.ts';
import { cliPath, klosetOci, summaryOf } from '../support/cli.ts';
import { type ConnectProxy, startConnectProxy } from '../support/connectProxy.ts';
import { localServer } from '../support/localServer.ts';
import { runMeasured } from '../support/measured.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

const open: { close(): Promise<void> }[] = [];
let folder: Scratch;

beforeAll(async () => {
  folder = await scratch('e2e-proxied');
});

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

afterAll(() => folder?.remove());

const opened = <T extends { close(): Promise<void> }>(resource: T): T => {
  open.unshift(resource);
  return resource;
};
const via = ({ port }: ConnectProxy, credentials = 'me:hush@') => ({
  env: { ...process.env, ALL_PROXY: `http://${credentials}127.0.0.1:${port}`, NO_PROXY: '', no_proxy: '' },
});
const authorization = `Basic ${Buffer.from('me:hush').toString('base64')}`;

test('plain HTTP', async () => {
  const registry = opened(await startRegistry());
  const proxy = opened(await startConnectProxy({ authorization }));
  const file = join(folder.path, 'file.bin');
  await writeFile(file, seededBytes(1, 12 * 1024 * 1024));
  const location = `oci://registry.test:${registry.port}/a/b`;
  const pushed = await klosetOci(['push', file, location, '--use-tls', 'false', '--json'], via(proxy));
  expect(summaryOf(pushed.stdout)).toMatchObject({ objects: 1, retries: 0 });
  const sent = Object.values(summaryOf(pushed.stdout).requests).reduce((sum, count) => sum + count, 0);
  expect(proxy.asked).toHaveLength(sent);
});

test('TLS with an authority of our own', async () => {
  const authority = await makeAuthority(join(folder.path, 'ca'));
  const answer = JSON.stringify({ name: 'a/b', tags: [] });
  const server = opened(await localServer(await authority.issue(), (_, response) => response.end(answer)));
  const proxy = opened(await startConnectProxy({ authorization }));
  const location = `oci://registry.test:${server.port}/a/b`;
  await klosetOci(['ls', location, '--tls-ca-file', authority.caFile], via(proxy));
  expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT registry.test:${server.port}`]));
  expect(server.seen.length).toBeGreaterThan(0);
});

test('a proxy that refuses us', async () => {
  const proxy = opened(await startConnectProxy({ authorization }));
  const args = [cliPath(), 'ls', 'oci://registry.test/a/b', '--verbose'];
  const ended = await runMeasured(process.execPath, args, via(proxy, 'me:wrong-secret@'));
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/\[PROXY_FAILED\].*does not accept the credentials \(407\)/);
  expect(ended.stdout + ended.stderr).not.toContain('wrong-secret');
});

test('without a proxy nothing of it is loaded, nor what reads certificates', async () => {
  const registry = opened(await startRegistry());
  const proxy = opened(await startConnectProxy());
  const hook = join(folder.path, 'hook.cjs');
  const told = "'LOADED ' + Object.keys(require.cache).join(' ') + '\\n'";
  await writeFile(hook, `process.on('exit', () => process.stderr.write(${told}));`);
  const loadedBy = async (location: string, env: NodeJS.ProcessEnv) => {
    const args = ['--require', hook, cliPath(), 'ls', location, '--use-tls', 'false'];
    const { stderr } = await runMeasured(process.execPath, args, { env });
    return /LOADED (.+)/.exec(stderr)?.[1] ?? '';
  };
  const rare = /proxyClient|poolClient|undici|tlsFiles|peerCertificate|explain/;
  const direct = await loadedBy(`oci://${registry.address}/a/b`, via(proxy).env);
  expect(direct).toContain('openExchange');
  expect(direct).not.toMatch(rare);
  expect(await loadedBy(`oci://registry.test:${registry.port}/a/b`, via(proxy).env)).toContain('proxyClient');
});
