/** Flags and variables about the network, as the command line takes them. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalServer, localServer } from '../support/localServer.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { selfSigned } from '../support/selfSigned.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe('the network', () => {
  let folder: Scratch;
  let server: LocalServer;
  let location: string;

  beforeAll(async () => {
    folder = await scratch('cli-network');
    const answer = JSON.stringify({ name: 'a/b', tags: [] });
    server = await localServer(await selfSigned(folder.path), (_, response) => response.end(answer));
    location = `oci://127.0.0.1:${server.port}/a/b`;
  });

  afterAll(async () => {
    await server?.close();
    await folder?.remove();
  });

  it('without verification is warned about, once, and not with --quiet', async () => {
    const flags = ['--use-tls', 'true', '--tls-insecure-no-verify', 'true'];
    for (const [mode, times] of [
      [[], 1],
      [['--json'], 1],
      [['--quiet'], 0],
    ] as const) {
      const ended = await run(['ls', location, ...flags, ...mode]);
      expect(ended).toMatchObject({ code: 0 });
      expect(ended.stderr.match(/warning: tls_insecure_no_verify is set/g)?.length ?? 0).toBe(times);
    }
  });

  it('with an authority of a file needs no warning', async () => {
    const ended = await run([
      'ls',
      location,
      '--use-tls',
      'true',
      '--tls-ca-file',
      `${folder.path}/cert.pem`,
    ]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('is not touched with a certificate without its key, or a proxy that is none', async () => {
    const before = server.seen.length;
    const alone = await run(['ls', location, '--tls-cert-file', `${folder.path}/cert.pem`]);
    expect(alone).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/tls_cert_file is set and tls_key_file/),
    });
    const proxied = await run(['ls', 'oci://registry.test/a/b'], {
      HTTPS_PROXY: 'socks5://me:hush@127.0.0.1',
    });
    expect(proxied).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/HTTPS_PROXY names a proxy that speaks/),
    });
    expect(proxied.stderr).not.toContain('hush');
    expect(server.seen).toHaveLength(before);
  });
});
