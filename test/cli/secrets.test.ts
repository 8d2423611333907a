/** No secret in any output: every command with marked credentials, where it succeeds and where it fails. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { type AuthOptions, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { refOf } from '../engine/rig.ts';
import { type CredentialHome, credentialHome, pair } from '../support/credentialHome.ts';
import { type EndedCli, runCli } from '../support/runCli.ts';
import { seededBytes } from '../support/seededBytes.ts';

const MARK = 'hunter2xyzzy';
const WRONG = `${MARK}-wrong`;
const users: AuthOptions['users'] = { me: { password: MARK, identityToken: `${MARK}-refresh` } };

/** All forms in which a part of the marker may show: base64 in each of its three phases, and in a URL. */
const FORMS = [
  MARK,
  ...[0, 1, 2].map((phase) =>
    Buffer.from('x'.repeat(phase) + MARK)
      .toString('base64')
      // The ends depend on what stands beside it.
      .slice(phase === 0 ? 0 : 4, -4),
  ),
];

let home: CredentialHome;
let registries: Record<'basic' | 'bearer', RunningRegistry>;
let source: string;

beforeAll(async () => {
  home = await credentialHome();
  Object.assign(home.environment, {
    XDG_STATE_HOME: join(home.path, 'state'),
    XDG_CACHE_HOME: join(home.path, 'cache'),
    TMPDIR: home.path,
  });
  registries = {
    basic: await startRegistry({ auth: { scheme: 'basic', users } }),
    bearer: await startRegistry({ auth: { scheme: 'bearer', users } }),
  };
  source = join(home.path, 'source');
  const store = new DirectoryStore(source);
  await store.create(seededBytes(0, 600));
  await store.put(refOf(1), bufferSource(seededBytes(1, 30_000), 'x'));
  await store.put({ ...refOf(3), type: 'state' }, bufferSource(seededBytes(3, 3000), 'x'));
  await home.helper('mark', `printf '{"Username":"me","Secret":"%s"}' "$(cat "$SECRET_FILE")"`);
  await home.write(join(home.path, 'secret-file'), MARK);
  await home.write(join(home.path, 'users-file'), `me:${MARK}\n`);
});
afterAll(async () => {
  for (const registry of Object.values(registries)) await registry.close();
  await home.remove();
});

/** The ways to be known to a registry, and whether they work there. */
const WAYS = {
  environment: (secret: string) => ({ KLOSET_OCI_USERNAME: 'me', KLOSET_OCI_PASSWORD: secret }),
  token: (secret: string) => ({ KLOSET_OCI_TOKEN: secret }),
  file: async (secret: string, registry: RunningRegistry) => {
    await home.write(home.dockerFile, { auths: { [registry.address]: { auth: pair('me', secret) } } });
    return {};
  },
  identity: async (secret: string, registry: RunningRegistry) => {
    await home.write(home.dockerFile, {
      auths: { [registry.address]: { identitytoken: `${secret}-refresh` } },
    });
    return {};
  },
  helper: async (secret: string, registry: RunningRegistry) => {
    await home.write(join(home.path, 'secret-file'), secret);
    await home.write(home.dockerFile, { credHelpers: { [registry.address]: 'mark' } });
    return { SECRET_FILE: join(home.path, 'secret-file') };
  },
} satisfies Record<string, (secret: string, registry: RunningRegistry) => unknown>;

/** Each command's arguments; one that is new is run with a location. */
function argumentsOf(command: string, location: string, registry: RunningRegistry): string[] {
  const { mac } = refOf(1);
  const known: Record<string, string[]> = {
    push: [source, location],
    pull: [location, join(home.path, `pulled-${Date.now()}`)],
    copy: [location, `oci-layout:${join(home.path, `layout-${Date.now()}`)}`],
    verify: [location, '--deep'],
    rm: [location, mac, '--type', 'packfile', '--yes'],
    create: [location, '--config', join(source, 'CONFIG')],
    stress: [location, '--max-requests', '30', '--max-seconds', '3s', '--max-bytes', '4MiB'],
    bench: [location, '--max-requests', '400', '--max-seconds', '20s', '--max-bytes', '4MiB'],
    demo: ['--size', '1MiB'],
    login: [registry.address, '-u', 'me', '--password-stdin'],
    logout: [registry.address],
  };
  return known[command] ?? [location];
}

// In this order: what is pushed is there for the others, and what deletes comes last.
const FIRST = ['push', 'ls', 'stat', 'verify', 'pull', 'copy'];
const LAST = ['create', 'rm', 'demo', 'login', 'logout'];
const COMMANDS = buildProgram()
  .commands.map((command) => command.name())
  .filter((name) => name !== 'registry')
  .sort((a, b) => rank(a) - rank(b));

function rank(name: string): number {
  if (FIRST.includes(name)) return FIRST.indexOf(name);
  return LAST.includes(name) ? 200 + LAST.indexOf(name) : 100;
}

function expectNothingIn(text: string, where: string): void {
  for (const form of FORMS) expect(text.includes(form), `${where} shows the secret:\n${text}`).toBe(false);
}

/** Runs a command and looks at everything that it says, at its arguments and those of what it starts. */
async function runWatched(args: string[], env: NodeJS.ProcessEnv, stdin?: string): Promise<EndedCli> {
  let over = false;
  const watching = (async () => {
    while (!over) {
      for (const pid of await readdir('/proc').catch(() => [])) {
        if (!/^\d+$/.test(pid)) continue;
        expectNothingIn(
          await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
          'a list of processes',
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const ended = await runCli(args, { env, ...(stdin !== undefined && { stdin }) });
  over = true;
  await watching;
  expectNothingIn(ended.stdout, `stdout of ${args[0]}`);
  expectNothingIn(ended.stderr, `stderr of ${args[0]}`);
  return ended;
}

async function expectNothingOnDisk(): Promise<void> {
  const keepers = ['docker', 'secret-file', 'users-file', 'bin'];
  for (const entry of await readdir(home.path, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const [top = ''] = path.slice(home.path.length + 1).split('/');
    if (entry.isFile() && !keepers.includes(top)) expectNothingIn(await readFile(path, 'latin1'), path);
  }
}

describe.each([
  ['bearer', 'environment'],
  ['basic', 'helper'],
] as const)('right credentials under %s from the %s', (scheme, way) => {
  it('let every command do its work, and show nowhere', async () => {
    const registry = registries[scheme];
    const location = `oci://${registry.address}/${way}/store`;
    const env = { ...home.environment, ...(await WAYS[way](MARK, registry)) };
    const codes: Record<string, number | null> = {};
    for (const command of COMMANDS) {
      const args = [command, ...argumentsOf(command, location, registry), '--verbose'];
      codes[command] = (await runWatched(args, env, MARK)).code;
    }
    // The store is there already.
    const done = COMMANDS.filter((command) => FIRST.includes(command) || LAST.includes(command));
    expect(done.filter((command) => codes[command] !== 0)).toEqual(['create']);
    await expectNothingOnDisk();
  }, 180_000);
});

describe.each([['bearer', 'file']] as const)('wrong credentials under %s from the %s', (scheme, way) => {
  it('fail every command, and show nowhere', async () => {
    const registry = registries[scheme];
    const location = `oci://${registry.address}/environment/store`;
    const env = { ...home.environment, ...(await WAYS[way](WRONG, registry)) };
    for (const command of COMMANDS.filter((name) => name !== 'demo' && name !== 'logout')) {
      const args = [command, ...argumentsOf(command, location, registry), '--verbose'];
      const ended = await runWatched(args, env, WRONG);
      expect([command, ended.code]).toEqual([command, 1]);
    }
    await expectNothingOnDisk();
  }, 180_000);
});

describe.each([
  ['basic', 'environment', /the registry refuses the credentials from the environment/],
  ['basic', 'token', /takes user name and password only/],
  ['bearer', 'token', /the token is wrong or has ended/],
  ['bearer', 'helper', /the token service .* refuses the credentials from docker-credential-mark/],
  ['bearer', 'identity', /the token service .* refuses the credentials from .*config.json/],
] as const)('wrong credentials under %s from the %s', (scheme, way, said) => {
  it('are one clear line', async () => {
    const registry = registries[scheme];
    const env = { ...home.environment, ...(await WAYS[way](WRONG, registry)) };
    for (const flag of ['--verbose', '--json']) {
      const ended = await runWatched(['ls', `oci://${registry.address}/a/b`, flag], env);
      expect(ended.stderr).toMatch(/^kloset-oci: \[AUTH_REQUIRED\]/m);
      expect(ended.stderr).toMatch(said);
      expect(ended.stderr).not.toMatch(/\n\s+at /);
      expect(ended.code).toBe(1);
    }
  });
});

describe('the embedded registry', () => {
  it('shows nothing of its users', async () => {
    const file = join(home.path, 'users-file');
    const args = ['registry', 'serve', '--port', '0', '--auth', 'bearer', '--users-file', file, '--verbose'];
    // It ends when its port is taken.
    const { port } = registries.basic;
    const ended = await runWatched([...args.slice(0, 3), String(port), ...args.slice(4)], home.environment);
    expect(ended.code).toBe(2);
  });
});

describe('the search itself', () => {
  it.each([MARK, `Basic ${pair('me', MARK)}`, pair('someone', MARK), pair('you', `${MARK}!`), `a=${MARK}&b`])(
    'would find %j',
    (text) => expect(() => expectNothingIn(text, 'it')).toThrow('shows the secret'),
  );
});
