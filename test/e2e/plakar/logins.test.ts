/** plakar at a registry that asks for a login: stored ones, options, and tokens that end during a backup. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { connectorPackage } from '../../support/connectors.ts';
import { pair } from '../../support/credentialHome.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar, type Plakar } from '../../support/plakar.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const peers = requirePeers(['plakar']);
const PASSWORD = 'hunter2xyzzy';
const TOKEN_LIFE_MS = 5000;

describe.skipIf(!peers.found)('a registry with a login', () => {
  let folder: Scratch;
  let plakar: Plakar;
  let registry: RunningRegistry;
  let tree: string;

  beforeAll(async () => {
    folder = await scratch('e2e-logins');
    tree = join(folder.path, 'tree');
    await writeSmallTree(tree);
    plakar = await openPlakar({ connector: connectorPackage('ours') });
    registry = await startRegistry({
      auth: {
        scheme: 'bearer',
        users: { me: { password: PASSWORD } },
        tokens: { tokenLifeMs: TOKEN_LIFE_MS },
      },
    });
  });

  afterAll(async () => {
    await plakar?.close();
    await registry?.close();
    await folder?.remove();
  });

  const at = (name: string) => `oci://${registry.address}/backup/${name}`;

  test('without a login is one clear line, from plakar too', async () => {
    const ended = await plakar.attempt(['at', at('none'), 'create', '-plaintext']);
    expect(ended.code).not.toBe(0);
    expect(ended.stdout + ended.stderr).toMatch(/\[AUTH_REQUIRED\].*kloset-oci login/);
  });

  test('options are enough, and a wrong password is not shown', async () => {
    const file = join(folder.path, 'password');
    await writeFile(file, `${PASSWORD}\n`);
    await plakar.run('store', 'add', 'right', at('options'), 'username=me', `password_file=${file}`);
    await plakar.run('at', '@right', 'create', '-plaintext');
    await plakar.run('at', '@right', 'ls');
    await plakar.run('store', 'add', 'wrong', at('options'), 'username=me', 'password=wrong-sesame');
    const ended = await plakar.attempt(['at', '@wrong', 'ls']);
    expect(ended.code).not.toBe(0);
    const said = ended.stdout + ended.stderr;
    expect(said).toMatch(/\[AUTH_REQUIRED\].*user name or password is wrong/);
    expect(said).not.toContain('sesame');
  });

  test('a backup three times longer than a token lives takes a token a life', async () => {
    await mkdir(join(plakar.home, '.docker'), { recursive: true });
    const auths = { [registry.address]: { auth: pair('me', PASSWORD) } };
    await writeFile(join(plakar.home, '.docker', 'config.json'), JSON.stringify({ auths }));
    const store = at('slow');
    await plakar.create(store);
    await plakar.idle();
    registry.resetRequestLog();
    const before = registry.tokensIssued();
    registry.setFaults({
      // All that writes takes half a life.
      before: ({ method, route }) =>
        route !== 'token' && (method === 'PUT' || method === 'POST')
          ? { kind: 'hold', until: new Promise((resolve) => setTimeout(resolve, TOKEN_LIFE_MS / 2)) }
          : undefined,
    });
    const startedMs = performance.now();
    await plakar.backup(store, tree);
    const elapsedMs = performance.now() - startedMs;
    registry.setFaults(undefined);
    expect(elapsedMs).toBeGreaterThan(3 * TOKEN_LIFE_MS);
    const issued = registry.tokensIssued() - before;
    // Each plugin that plakar starts is asked once, at its first request; no token has ended before it was replaced.
    const refused = registry.requestLog().filter(({ status }) => status === 401);
    expect(new Set(refused.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set(['GET /v2/backup/slow/manifests/CONFIG']),
    );
    // One for each of them, one more to delete a lock, and one for each life but its last quarter.
    const plugins = refused.length;
    expect(issued).toBeLessThanOrEqual(2 * plugins + Math.floor(elapsedMs / (0.75 * TOKEN_LIFE_MS)));
    await plakar.check(store);
    await plakar.restore(store, join(folder.path, 'restored'));
    expect(await compareTrees(tree, join(folder.path, 'restored'))).toEqual([]);
  });
});
