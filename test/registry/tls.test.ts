/** TLS against servers with certificates of an authority of our own. */
import { execFile, execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readExcerpt } from '../../src/registry/body.ts';
import { type HttpTransport, httpTransport } from '../../src/registry/httpTransport.ts';
import { type TlsOptions, TlsSettings } from '../../src/registry/tls.ts';
import { type Authority, type Issued, makeAuthority } from '../support/certificates.ts';
import { type LocalServer, localServer } from '../support/localServer.ts';
import { freePort, waitForPort } from '../support/ports.ts';
import { start } from '../support/processes.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { selfSigned } from '../support/selfSigned.ts';

let folder: Scratch;
let authority: Authority;
let other: Authority;
let issued: Issued;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  folder = await scratch('tls');
  authority = await makeAuthority(join(folder.path, 'ours'), 'Ours');
  other = await makeAuthority(join(folder.path, 'other'), 'Others');
  issued = await authority.issue();
});

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

afterAll(() => folder.remove());

async function serve(tls: ServerOptions = {}): Promise<LocalServer> {
  const server = await localServer({ cert: issued.cert, key: issued.key, ...tls });
  open.unshift(server);
  return server;
}

function transport(server: { port: number }, tls: TlsOptions, host = '127.0.0.1'): HttpTransport {
  const http = httpTransport({}, { origin: `https://${host}:${server.port}`, tls, env: {} });
  open.unshift(http);
  return http;
}

async function ask(server: { port: number }, tls: TlsOptions, host = '127.0.0.1'): Promise<string> {
  return askWith(transport(server, tls, host), server, host);
}

async function askWith(http: HttpTransport, server: { port: number }, host = '127.0.0.1'): Promise<string> {
  const url = new URL(`https://${host}:${server.port}/v2/`);
  return readExcerpt(await http.send({ kind: 'ping', method: 'GET', url }));
}

const file = async (name: string, content: string) => {
  const path = join(folder.path, name);
  await writeFile(path, content);
  return path;
};

describe('authorities', () => {
  test('one that is named is trusted, and Node’s are not asked', async () => {
    const server = await serve();
    expect(await ask(server, { caFile: authority.caFile })).toBe('{}');
    expect(server.connections()).toBe(1);
  });

  test('one that nobody named is refused, with the option that helps', async () => {
    const server = await serve();
    await expect(ask(server, {})).rejects.toMatchObject({
      code: 'TLS_UNTRUSTED',
      message: expect.stringMatching(/authority that is not known here.*--tls-ca-file/),
    });
    expect(server.seen).toEqual([]);
  });

  test('one that another file names is no help', async () => {
    await expect(ask(await serve(), { caFile: other.caFile })).rejects.toMatchObject({
      code: 'TLS_UNTRUSTED',
    });
  });

  test('those of the system are found, once, when the first look fails', async () => {
    const server = await serve();
    const script = `
      import { httpTransport } from ${JSON.stringify(new URL('../../src/registry/httpTransport.ts', import.meta.url).href)};
      const http = httpTransport({}, { tls: JSON.parse(process.argv[1]), env: {} });
      const url = new URL('https://127.0.0.1:${server.port}/v2/');
      const ask = () => http.send({ kind: 'ping', method: 'GET', url });
      const answers = await Promise.all([ask(), ask(), ask()]);
      for (const answer of answers) for await (const _ of answer.body);
      console.log(answers.map(({ status }) => status).join());
      await http.close();`;
    const trusting = { NODE_EXTRA_CA_CERTS: '', SSL_CERT_FILE: authority.caFile, SSL_CERT_DIR: '' };
    const run = async (tls: TlsOptions) => {
      const args = ['--input-type=module', '-e', script, JSON.stringify(tls)];
      const env = { ...process.env, ...trusting };
      return (await promisify(execFile)(process.execPath, args, { env })).stdout;
    };
    expect(await run({})).toBe('200,200,200\n');
    expect(server.connections()).toBe(6);
    // And they still count where a file names another authority.
    expect(await run({ caFile: other.caFile })).toBe('200,200,200\n');
  });

  test('a self-signed certificate is told apart, and trusted when it is named', async () => {
    const { key, cert } = await selfSigned(folder.path);
    const server = await serve({ key, cert });
    await expect(ask(server, {})).rejects.toMatchObject({
      code: 'TLS_UNTRUSTED',
      message: expect.stringContaining('self-signed'),
    });
    expect(await ask(server, { caFile: join(folder.path, 'cert.pem') })).toBe('{}');
  });

  test('without verification any certificate will do', async () => {
    expect(await ask(await serve(), { insecureNoVerify: true })).toBe('{}');
  });
});

test('contexts are made once for the registry, and once for all others', async () => {
  const { certFile, keyFile } = issued;
  const settings = new TlsSettings({ caFile: authority.caFile, certFile, keyFile }, 'https://registry.test');
  const own = await settings.connect('https://registry.test', 'first');
  expect(await settings.connect('https://registry.test', 'first')).toBe(own);
  const others = await settings.connect('https://a.test', 'first');
  expect(others.secureContext).not.toBe(own.secureContext);
  expect(await settings.connect('https://b.test', 'first')).toBe(others);
});

describe('dates', () => {
  test.each([
    ['expired', [-10, -1], /has expired on (\S+Z)/],
    ['not valid yet', [1, 10], /is not valid yet, but from (\S+Z) on/],
  ] as const)('a certificate that is %s is refused with its date', async (_, days, pattern) => {
    const { key, cert } = await authority.issue({ days });
    const error = await ask(await serve({ key, cert }), { caFile: authority.caFile }).catch(
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'TLS_UNTRUSTED' });
    const date = Date.parse(pattern.exec(error.message)?.[1] ?? '');
    const inDays = (date - Date.now()) / 86_400_000;
    expect(Math.abs(inDays)).toBeCloseTo(1, 1);
    expect(error.message).toMatch(/clock here.*shows \d{4}-/);
  });
});

describe('names', () => {
  test('a certificate for another host names its names', async () => {
    const { key, cert } = await authority.issue({ names: 'DNS:registry.example.org,DNS:r2.example.org' });
    const server = await serve({ key, cert });
    const { caFile } = authority;
    for (const host of ['127.0.0.1', 'localhost']) {
      await expect(ask(server, { caFile }, host)).rejects.toMatchObject({
        code: 'TLS_UNTRUSTED',
        message: expect.stringMatching(/registry\.example\.org, r2\.example\.org.*--tls-server-name/),
      });
      expect(await ask(server, { caFile, serverName: 'r2.example.org' }, host)).toBe('{}');
      await expect(ask(server, { caFile, serverName: 'r3.example.org' }, host)).rejects.toMatchObject({
        code: 'TLS_UNTRUSTED',
      });
    }
  });

  test('the name is for the registry alone', async () => {
    const { key, cert } = await authority.issue({ names: 'DNS:registry.example.org' });
    const [registry, storage] = [await serve({ key, cert }), await serve()];
    const http = transport(registry, { caFile: authority.caFile, serverName: 'registry.example.org' });
    expect(await askWith(http, registry)).toBe('{}');
    expect(await askWith(http, storage)).toBe('{}');
  });
});

describe('client certificates', () => {
  // Node's own server ends the connection without the alert that tells why.
  test.each(['tls1_2', 'tls1_3'])('one that is missing or foreign is told (%s)', async (version) => {
    const port = await freePort();
    const identity = ['-cert', issued.certFile, '-key', issued.keyFile, '-CAfile', authority.caFile];
    const demand = ['-Verify', '2', '-verify_return_error', '-www', `-${version}`];
    const server = start('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, ...identity, ...demand]);
    open.push({ close: async () => void (await server.stop()) });
    await waitForPort(port, server.exited);

    const { caFile } = authority;
    const own = await authority.issue();
    expect(await ask({ port }, { caFile, certFile: own.certFile, keyFile: own.keyFile })).toContain(
      's_server',
    );
    await expect(ask({ port }, { caFile })).rejects.toMatchObject({
      code: 'TLS_REFUSED',
      message: expect.stringMatching(/tls_cert_file/),
    });
    const { certFile, keyFile } = await other.issue();
    await expect(ask({ port }, { caFile, certFile, keyFile })).rejects.toMatchObject({
      code: 'TLS_REFUSED',
      message: expect.stringMatching(/does not accept/),
    });
  });

  test('is shown to the registry’s origin and to no other', async () => {
    const ca = [await readFile(authority.caFile, 'utf8')];
    const curious = { requestCert: true, rejectUnauthorized: false, ca };
    const [registry, storage] = [await serve(curious), await serve(curious)];
    const { certFile, keyFile } = await authority.issue();
    const http = transport(registry, { caFile: authority.caFile, certFile, keyFile });
    await askWith(http, registry);
    await askWith(http, storage);
    expect(registry.seen.map(({ client }) => client)).toEqual(['issued']);
    expect(storage.seen.map(({ client }) => client)).toEqual([undefined]);
  });
});

test('a server without TLS 1.2 is told', async () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  await expect(ask(await serve(old), { caFile: authority.caFile })).rejects.toMatchObject({
    code: 'TLS_REFUSED',
    message: expect.stringMatching(/TLS 1\.2 or 1\.3/),
  });
});

describe('files', () => {
  test('are read with the first connection over TLS, not before', async () => {
    const server = await serve();
    const caFile = join(folder.path, 'later.pem');
    const http = transport(server, { caFile });
    await expect(askWith(http, server)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/tls_ca_file: .*later\.pem does not exist/),
    });
    await writeFile(caFile, await readFile(authority.caFile, 'utf8'));
    expect(await askWith(http, server)).toBe('{}');
  });

  test.each([
    [
      'no PEM',
      async () => ({ caFile: await file('not.pem', 'hello') }),
      /tls_ca_file: .*no certificate in PEM/,
    ],
    ['a folder', async () => ({ caFile: folder.path }), /tls_ca_file: .*is no file/],
    [
      'damaged',
      async () => ({
        caFile: await file(
          'bad.pem',
          (await readFile(authority.caFile, 'utf8')).replace(/\nMII.../, '\nAAAAAA'),
        ),
      }),
      /tls_ca_file: .*cannot be parsed/,
    ],
    [
      'a key of another certificate',
      async () => ({ certFile: issued.certFile, keyFile: (await authority.issue()).keyFile }),
      /tls_key_file: the key in .* does not belong to the certificate in /,
    ],
    [
      'no key',
      async () => ({ certFile: issued.certFile, keyFile: issued.certFile }),
      /tls_key_file: .*no private key in PEM/,
    ],
    [
      'a locked key',
      async () => {
        const keyFile = join(folder.path, 'locked.key');
        const args = ['pkey', '-in', issued.keyFile, '-aes256', '-passout', 'pass:secret', '-out', keyFile];
        execFileSync('openssl', args);
        return { certFile: issued.certFile, keyFile };
      },
      /tls_key_file: .*protected by a passphrase/,
    ],
  ])('%s', async (_, make, pattern) => {
    const error = await ask(await serve(), await make()).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringMatching(pattern) });
  });

  test('come in pairs, and names are no addresses', () => {
    for (const tls of [{ certFile: 'a' }, { keyFile: 'a' }, { serverName: '127.0.0.1' }]) {
      expect(() => httpTransport({}, { tls })).toThrow(/\[USAGE\] option tls_/);
    }
  });
});
