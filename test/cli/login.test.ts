/** `login` and `logout`: what they check, where they keep it, and what becomes of the rest of the file. */
import { spawn } from 'node:child_process';
import { lstat, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuthOptions, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { type CredentialHome, credentialHome, pair } from '../support/credentialHome.ts';
import { MAIN, runCli } from '../support/runCli.ts';

const USERS: AuthOptions['users'] = { me: { password: 'pass:word' } };
let bearer: RunningRegistry;
let basic: RunningRegistry;
beforeAll(async () => {
  bearer = await startRegistry({ auth: { scheme: 'bearer', users: USERS } });
  basic = await startRegistry({ auth: { scheme: 'basic', users: USERS } });
});
afterAll(async () => {
  await bearer.close();
  await basic.close();
});

let home: CredentialHome;
beforeEach(async () => {
  home = await credentialHome();
});
afterEach(() => home.remove());

const run = (args: readonly string[], stdin?: string) =>
  runCli(args, { env: home.environment, ...(stdin !== undefined && { stdin }) });
const login = (registry: RunningRegistry, password = 'pass:word') =>
  run(['login', registry.address, '-u', 'me', '--password-stdin'], `${password}\n`);
const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

describe('login', () => {
  it.each([
    ['Bearer', () => bearer],
    ['Basic', () => basic],
  ])('under %s is checked and kept in the file of Docker, for its owner alone', async (_, registry) => {
    const ended = await login(registry());
    expect(ended.stderr).toMatch(/warning: the password is in .*config\.json, which is not encrypted/);
    expect(ended.stdout).toBe(`logged in to ${registry().address}, kept in ${home.dockerFile}\n`);
    expect(ended.code).toBe(0);
    expect(await json(home.dockerFile)).toEqual({
      auths: { [registry().address]: { auth: pair('me', 'pass:word') } },
    });
    expect((await stat(home.dockerFile)).mode & 0o777).toBe(0o600);
    const listed = await run(['ls', `oci://${registry().address}/team/store`]);
    expect(listed.stderr).not.toContain('AUTH_REQUIRED');
  });

  it.each([
    ['Bearer', () => bearer],
    ['Basic', () => basic],
  ])('with a wrong password under %s keeps nothing', async (_, registry) => {
    const ended = await login(registry(), 'wrong');
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^kloset-oci: \[AUTH_REQUIRED\] .* refuses the credentials .*\n$/);
    await expect(stat(home.dockerFile)).rejects.toThrow('ENOENT');
  });

  it('leaves the rest of the file as it was, and follows a link to it', async () => {
    const real = join(home.path, 'elsewhere', 'real.json');
    const rest = { HttpHeaders: { 'X-Meta': '1' }, credHelpers: { other: 'none' }, detachKeys: 'ctrl-e,e' };
    await home.write(real, {
      ...rest,
      auths: {
        'other.example.org': { auth: 'eDp5' },
        [`https://${basic.address}/v1/`]: { auth: pair('old', 'x') },
      },
    });
    await mkdir(dirname(home.dockerFile), { recursive: true });
    await symlink(real, home.dockerFile);
    expect((await login(basic)).code).toBe(0);
    expect(await json(real)).toEqual({
      ...rest,
      auths: { 'other.example.org': { auth: 'eDp5' }, [basic.address]: { auth: pair('me', 'pass:word') } },
    });
    expect((await lstat(home.dockerFile)).isSymbolicLink()).toBe(true);
    expect((await run(['logout', basic.address])).code).toBe(0);
    expect(await json(real)).toEqual({ ...rest, auths: { 'other.example.org': { auth: 'eDp5' } } });
  });

  it('keeps it in the file that REGISTRY_AUTH_FILE names', async () => {
    const file = join(home.path, 'podman', 'auth.json');
    home.environment.REGISTRY_AUTH_FILE = file;
    expect((await login(basic)).code).toBe(0);
    expect(Object.keys((await json(file)).auths)).toEqual([basic.address]);
    await expect(stat(home.dockerFile)).rejects.toThrow('ENOENT');
  });

  it('keeps it in the helper that is configured, and in no file', async () => {
    const store = join(home.path, 'keychain');
    await home.helper(
      'vault',
      `case "$1" in
store) cat > ${store};;
get) [ -e ${store} ] && cat ${store} || { echo "credentials not found in native keychain"; exit 1; };;
erase) rm ${store};;
esac`,
    );
    await home.write(home.dockerFile, { credsStore: 'vault' });
    const ended = await login(bearer);
    expect(ended).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `logged in to ${bearer.address}, kept in docker-credential-vault\n`,
    });
    expect(await json(store)).toEqual({ ServerURL: bearer.address, Username: 'me', Secret: 'pass:word' });
    expect(await json(home.dockerFile)).toEqual({ credsStore: 'vault' });
    const out = await run(['logout', bearer.address]);
    expect(out.stdout).toBe(`logged out of ${bearer.address}, removed from docker-credential-vault\n`);
    await expect(stat(store)).rejects.toThrow('ENOENT');
    expect((await run(['logout', bearer.address])).stdout).toBe(`there was no login to ${bearer.address}\n`);
  });

  it('to a registry that asks for none, or lets strangers in, is still a login', async () => {
    const open = await startRegistry();
    const half = await startRegistry({
      auth: { scheme: 'basic', users: USERS, anonymous: [{ repositories: '*', actions: ['pull'] }] },
    });
    try {
      const ended = await login(open);
      expect(ended.code).toBe(0);
      expect(ended.stderr).toContain(`${open.address} does not ask for a login`);
      expect((await login(half, 'wrong')).code).toBe(1);
      expect((await login(half)).code).toBe(0);
    } finally {
      await open.close();
      await half.close();
    }
  });

  it.each([
    [['login', 'localhost:1', '-u', 'me'], '', 2, /no terminal to ask on.*--password-stdin/],
    [['login', 'localhost:1', '--password-stdin'], 'x', 2, /no terminal to ask on.*--username/],
    [['login', 'localhost:1', '-u', 'a:b', '--password-stdin'], 'x', 2, /has no colon/],
    [['login', 'localhost:1', '-u', 'me', '--password-stdin'], '\n', 2, /password is empty/],
    [['login', 'localhost:1', '-u', 'me', '--password-stdin'], 'x', 1, /REGISTRY_UNREACHABLE/],
    [['login', 'no host', '-u', 'me', '--password-stdin'], 'x', 2, /LOCATION_INVALID/],
    [['login', 'localhost:1', '-u', 'me', '--password', 'x'], '', 2, /unknown option '--password'/],
    [['login'], '', 2, /missing required argument 'registry'/],
  ] as const)('%j', async (args, stdin, code, said) => {
    const ended = await run(args, stdin);
    expect(ended.stderr).toMatch(said);
    expect(ended.code).toBe(code);
  });

  it('does not ask for a password when the file could not keep it', async () => {
    await home.write(home.dockerFile, '{"auths": {');
    const ended = await login(basic);
    expect(ended.stderr).toMatch(/CREDENTIALS_UNUSABLE.*config\.json: the file of credentials is not JSON/);
    expect(ended.code).toBe(1);
    expect(await readFile(home.dockerFile, 'utf8')).toBe('{"auths": {');
  });

  it('takes the host out of a location, and knows Docker Hub by its key', async () => {
    const listed = await run(['logout', 'oci://Docker.io/me/backups', '--json']);
    expect(JSON.parse(listed.stdout)).toEqual({ event: 'logout', registry: 'Docker.io', places: [] });
    await home.write(home.dockerFile, { auths: { 'https://index.docker.io/v1/': { auth: 'eDp5' } } });
    expect((await run(['logout', 'registry-1.docker.io'])).stdout).toContain('removed from');
    expect(await json(home.dockerFile)).toEqual({ auths: {} });
  });
});

// A terminal: python's pty starts the program with one, and types an answer at each question.
const TERMINAL = `
import os, pty, signal, sys
questions = [b'User name: ', b'Password of me: ']
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:-1])
signal.alarm(25)
screen, answers = b'', sys.argv[-1].split('|')
questions = questions[-len(answers):]
while True:
    try: data = os.read(fd, 4096)
    except OSError: break
    if not data: break
    screen += data
    if questions and questions[0] in screen:
        questions.pop(0)
        os.write(fd, answers.pop(0).encode())
sys.stdout.buffer.write(screen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

describe('login on a terminal', () => {
  const onTerminal = (answers: string, ...args: string[]) =>
    new Promise<{ code: number | null; screen: string }>((resolve, reject) => {
      const child = spawn('/usr/bin/python3', ['-Sc', TERMINAL, process.execPath, MAIN, ...args, answers], {
        env: home.environment,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let screen = '';
      child.stdout.on('data', (chunk) => {
        screen += chunk;
      });
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, screen }));
    });

  it('asks for both, and shows one of them', async () => {
    const { code, screen } = await onTerminal('me\r|pass:word\r', 'login', basic.address);
    expect(screen).toContain('User name: ');
    expect(screen).toContain('Password of me: ');
    expect(screen).not.toContain('pass:word');
    expect(code).toBe(0);
    expect(await json(home.dockerFile)).toEqual({
      auths: { [basic.address]: { auth: pair('me', 'pass:word') } },
    });
  });

  it.each([
    ['Ctrl-C', 'hal\x03'],
    ['Ctrl-D on an empty line', '\x04'],
  ])('is interrupted by %s', async (_, keys) => {
    const { code, screen } = await onTerminal(keys, 'login', basic.address, '-u', 'me');
    expect(screen).toContain('[CANCELLED] interrupted');
    expect(screen).not.toContain('hal');
    expect(code).toBe(130);
  });
});
