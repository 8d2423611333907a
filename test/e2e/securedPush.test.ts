/** Our command line against real registries with TLS, logins and limits, to and fro. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cliPath, klosetOci, summaryOf } from '../support/cli.ts';
import { runMeasured } from '../support/measured.ts';
import { requirePeers } from '../support/peers.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import {
  ACCOUNTS,
  SECURED_REGISTRIES,
  type SecuredEntry,
  type SecuredName,
} from '../support/securedRegistries.ts';
import { seededBytes } from '../support/seededBytes.ts';

const MIB = 1024 * 1024;
/** One object above nginx's limit, one below, small ones. */
const SIZES = [20 * MIB, 3 * MIB + 1, 70_000, 1];
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'];

let folder: Scratch;
let source: string;
let digests: string[];

beforeAll(async () => {
  folder = await scratch('e2e-secured');
  source = join(folder.path, 'source');
  await mkdir(source);
  for (const [index, bytes] of SIZES.entries()) {
    await writeFile(join(source, `${index}.bin`), seededBytes(index, bytes));
  }
  digests = await digestsBelow(source);
});

afterAll(() => folder?.remove());

async function digestsBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sums = files.map(async (path) =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
  );
  return (await Promise.all(sums)).sort();
}

/** The environment without a proxy or credentials of the machine that the tests run on. */
function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of PROXY_VARIABLES) {
    delete env[name];
    delete env[name.toUpperCase()];
  }
  return { ...env, HOME: folder.path, ...more };
}

for (const name of Object.keys(SECURED_REGISTRIES) as SecuredName[]) {
  const entry: SecuredEntry = SECURED_REGISTRIES[name];
  const needed = requirePeers(entry.peers);
  describe.skipIf(!needed.found)(name, () => {
    test('takes what is pushed, and gives it back', async () => {
      const registry = await entry.start();
      try {
        const location = registry.location('secured/store');
        const run = (...args: string[]) =>
          klosetOci([...args, ...registry.flags, '--json'], { env: environment(registry.env) });
        await run('create', location, '--config', join(source, '3.bin'));
        const pushed = summaryOf((await run('push', source, location)).stdout);
        expect(pushed).toMatchObject({ objects: SIZES.length, skipped: 0 });
        await run('verify', location, '--deep');
        const copy = join(folder.path, `copy of ${name.replace(/\W+/g, ' ')}`);
        await run('pull', location, copy);
        expect(await digestsBelow(copy)).toEqual(expect.arrayContaining(digests));
        expect(summaryOf((await run('push', source, location)).stdout).skipped).toBe(SIZES.length);
        if (name.includes('nginx')) {
          // Found out once: the other objects do not run into the limit as well.
          expect(pushed.requests['upload-chunk']).toBeGreaterThanOrEqual(3);
          expect(pushed.retries).toBe(0);
        }
      } finally {
        await registry.stop();
      }
    });
  });
}

const needed = requirePeers(['docker-registry']);
test.skipIf(!needed.found)('what is missing for TLS is said before anything is tried again', async () => {
  const registry = await SECURED_REGISTRIES['docker-registry, client certificates'].start();
  try {
    const { tls_ca_file: ca = '', use_tls = '' } = registry.options;
    const without = async (...flags: string[]) => {
      const args = [cliPath(), 'ls', registry.location('secured/store'), ...flags];
      const ended = await runMeasured(process.execPath, args, { env: environment({}) });
      expect(ended.code).toBe(1);
      expect(ended.stderr.trim().split('\n')).toHaveLength(1);
      expect(ended.stderr).not.toContain('tried:');
      return ended.stderr;
    };
    expect(await without()).toMatch(/\[TLS_MISMATCH\].*--use-tls true/);
    expect(await without('--use-tls', use_tls)).toMatch(/\[TLS_UNTRUSTED\].*Test authority.*--tls-ca-file/);
    expect(await without('--use-tls', use_tls, '--tls-ca-file', ca)).toMatch(
      /\[TLS_REFUSED\].*wants a client certificate.*--tls-cert-file/,
    );
  } finally {
    await registry.stop();
  }
});

const zot = requirePeers(['zot']);
test.skipIf(!zot.found)('a login over TLS is stored, and serves without variables', async () => {
  const registry = await SECURED_REGISTRIES['zot, htpasswd, TLS'].start();
  try {
    const home = join(folder.path, 'home');
    await mkdir(home);
    const env = environment({ HOME: home, DOCKER_CONFIG: join(home, '.docker'), REGISTRY_AUTH_FILE: '' });
    const login = (input: string) => {
      const as = ['login', registry.address, '--username', 'backup', '--password-stdin'];
      return spawnSync(process.execPath, [cliPath(), ...as, ...registry.flags], {
        env,
        input,
        encoding: 'utf8',
      });
    };
    expect(login('wrong')).toMatchObject({ status: 1, stderr: expect.stringContaining('AUTH_REQUIRED') });
    expect(login(ACCOUNTS.backup.password)).toMatchObject({ status: 0 });
    const location = registry.location('secured/store');
    await klosetOci(['push', join(source, '2.bin'), location, ...registry.flags], { env });
  } finally {
    await registry.stop();
  }
});
