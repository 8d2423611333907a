/** The package as plakar unpacks it: complete by itself, wherever and by whomever it is started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcClient } from '../../plugin/support/grpcClient.ts';
import { connectorPackage } from '../../support/connectors.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar, type Plakar } from '../../support/plakar.ts';

const peers = requirePeers(['plakar']);

describe.skipIf(!peers.found)('the package', () => {
  let plakar: Plakar;
  let executable: string;

  beforeAll(async () => {
    plakar = await openPlakar({ connector: connectorPackage('ours') });
    const [found] = globSync(join(plakar.home, '.cache/plakar/plugins/*/oci_*/oci-storage'));
    if (found === undefined) throw new Error('plakar unpacked no executable');
    executable = found;
  });

  afterAll(() => plakar?.close());

  /** What the plugin answers to Init, and what it writes to the terminal. */
  async function firstAnswer(program: string, env: Record<string, string> = {}) {
    const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/', env });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    const exited = once(child, 'close');
    const client = new GrpcClient(child.stdout, child.stdin);
    const answer = await client.ok('Init', {
      proto: 'oci',
      config: { location: 'oci://localhost:5000/my-org/store' },
    });
    client.session.destroy();
    child.stdin.end();
    const [code] = await exited;
    return { root: answer.root, code, stderr };
  }
  const well = { root: 'http://localhost:5000', code: 0, stderr: '' };

  test('is listed by plakar under the name of its connector', async () => {
    expect((await plakar.run('pkg', 'list')).stdout).toMatch(/^oci@/m);
  });

  test('needs no Node, no PATH and no home of its own', async () => {
    expect(await firstAnswer(executable)).toEqual(well);
  });

  test('starts through links, absolute and relative', async () => {
    const absolute = join(plakar.home, 'absolute');
    const relative = join(plakar.home, 'relative');
    await symlink(executable, absolute);
    await symlink('absolute', relative);
    // A link is followed with readlink, which is looked up in PATH.
    const env = { PATH: '/usr/bin:/bin' };
    expect(await firstAnswer(absolute, env)).toEqual(well);
    expect(await firstAnswer(relative, env)).toEqual(well);
  });

  test("is not touched by settings for the user's own Node", async () => {
    const env = { NODE_OPTIONS: '--require=/nowhere.js', NODE_PATH: '/nowhere' };
    expect(await firstAnswer(executable, env)).toEqual(well);
  });

  test('keeps compiled code beside itself, and does without where it may not', async () => {
    const folder = dirname(executable);
    await firstAnswer(executable);
    expect(await readdir(join(folder, 'compile-cache'))).not.toEqual([]);
    await rm(join(folder, 'compile-cache'), { recursive: true });
    await writeFile(join(folder, 'compile-cache'), 'a file where the folder should be');
    expect(await firstAnswer(executable)).toEqual(well);
  });

  test('carries an icon, a schema of the options, and the licences of all that is in it', async () => {
    const folder = dirname(executable);
    expect(await readFile(join(folder, 'icon.svg'), 'utf8')).toMatch(/^<svg /);
    const schema = JSON.parse(await readFile(join(folder, 'options.schema.json'), 'utf8'));
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['location', 'use_tls', 'hasher']));
    const licences = await readFile(join(folder, 'THIRD-PARTY-LICENSES'), 'utf8');
    for (const name of ['Node.js', 'undici', 'piscina', 'p-queue', 'hash-wasm'])
      expect(licences).toContain(`\n${name}\n`);
  });
});
