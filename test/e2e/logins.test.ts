/** A login of one program serves the others: the same files, the same keys. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { type CredentialHome, credentialHome } from '../support/credentialHome.ts';
import { runMeasured, runOk } from '../support/measured.ts';
import { peer, requirePeers } from '../support/peers.ts';
import { runCli } from '../support/runCli.ts';
import { scratch } from '../support/scratch.ts';

const { found } = requirePeers(['oras', 'crane', 'regctl']);
const PASSWORD = 'pass:word$1';

describe.runIf(found).each(['bearer', 'basic'] as const)('logins under %s', (scheme) => {
  let registry: RunningRegistry;
  let home: CredentialHome;
  let file: string;
  const repository = () => `${registry.address}/team/store`;
  // Not the store's: it does not write where tags of others are.
  const images = () => `${registry.address}/team/images`;
  const ours = (args: readonly string[], stdin = '') => runCli(args, { env: home.environment, stdin });
  const options = () => ({ env: home.environment, cwd: home.path });

  beforeAll(async () => {
    registry = await startRegistry({ auth: { scheme, users: { me: { password: PASSWORD } } } });
  });
  afterAll(() => registry.close());
  beforeEach(async () => {
    home = await credentialHome();
    file = join(home.path, 'payload');
    await home.write(file, 'content');
    return () => home.remove();
  });

  it('of ours are used by oras, crane and regctl', async () => {
    expect(
      (await ours(['login', registry.address, '-u', 'me', '--password-stdin'], `${PASSWORD}\n`)).code,
    ).toBe(0);
    const push = ['push', '--plain-http', `${images()}:one`, 'payload:text/plain'];
    await runOk(peer('oras'), push, options());
    expect((await runOk(peer('crane'), ['ls', '--insecure', images()], options())).stdout.trim()).toBe('one');
    await runOk(peer('regctl'), ['registry', 'set', '--tls', 'disabled', registry.address], options());
    expect((await runOk(peer('regctl'), ['tag', 'ls', images()], options())).stdout.trim()).toBe('one');
    expect((await ours(['logout', registry.address])).code).toBe(0);
    const after = await runMeasured(peer('crane'), ['ls', '--insecure', images()], options());
    expect(after.code).not.toBe(0);
  });

  it('of oras and crane are used by us, and taken out again', async () => {
    for (const [program, args] of [
      ['oras', ['login', '--plain-http', registry.address, '-u', 'me', '-p', PASSWORD]],
      ['crane', ['auth', 'login', '--insecure', registry.address, '-u', 'me', '-p', PASSWORD]],
    ] as const) {
      const before = await ours(['push', file, `oci://${repository()}`]);
      expect(before.stderr).toContain('AUTH_REQUIRED');
      await runOk(peer(program), args, options());
      const pushed = await ours(['push', file, `oci://${repository()}`]);
      expect([pushed.stderr, pushed.code]).toEqual([expect.not.stringContaining('['), 0]);
      expect((await ours(['logout', registry.address])).stdout).toContain(`removed from ${home.dockerFile}`);
      expect(JSON.parse(await readFile(home.dockerFile, 'utf8')).auths).toEqual({});
    }
  });

  it('in a file of Podman are used by us and by oras', async () => {
    const folder = await scratch('podman');
    try {
      home.environment.REGISTRY_AUTH_FILE = join(folder.path, 'auth.json');
      const login = await ours(['login', registry.address, '-u', 'me', '--password-stdin'], PASSWORD);
      expect(login.stdout).toContain(home.environment.REGISTRY_AUTH_FILE);
      expect((await ours(['push', file, `oci://${repository()}`])).code).toBe(0);
      const tags = ['repo', 'tags', '--plain-http', repository()];
      const config = ['--registry-config', home.environment.REGISTRY_AUTH_FILE];
      expect((await runOk(peer('oras'), [...tags, ...config], options())).stdout).toContain('packfiles-');
    } finally {
      await folder.remove();
    }
  });
});
