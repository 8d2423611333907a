import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credentialsPaths } from '../../../src/registry/auth/credentialsPaths.ts';
import { storedCredentials } from '../../../src/registry/auth/storedCredentials.ts';
import { type CredentialHome, credentialHome, pair } from '../../support/credentialHome.ts';

let home: CredentialHome;
beforeEach(async () => {
  home = await credentialHome();
});
afterEach(() => home.remove());

const find = (registry: string, repository = 'team/store') =>
  storedCredentials({ registry, repository }, { environment: home.environment, helperTimeoutMs: 5000 });
const docker = (content: unknown) => home.write(home.dockerFile, content);
const password = (username: string, secret: string, from = home.dockerFile) => ({
  kind: 'password',
  username,
  password: secret,
  from,
});

describe("Docker's file", () => {
  it('may not be there, be empty, or have nothing for the registry', async () => {
    expect(await find('example.org')).toBeUndefined();
    await docker('');
    expect(await find('example.org')).toBeUndefined();
    await docker({ auths: { 'other.example.org': { auth: pair('a', 'b') }, 'example.org': {} } });
    expect(await find('example.org')).toBeUndefined();
  });

  it.each([
    'example.org',
    'EXAMPLE.org',
    'https://example.org',
    'https://example.org/v1/',
    'http://example.org/v2',
    'example.org/',
  ])('knows a registry as %s', async (key) => {
    await docker({ auths: { [key]: { auth: pair('me', 'p:w') } } });
    expect(await find('example.org')).toEqual(password('me', 'p:w'));
    expect(await find('example.org:5000')).toBeUndefined();
  });

  it('tells ports apart', async () => {
    await docker({ auths: { 'h:1': { auth: pair('one', '1') }, 'h:2': { auth: pair('two', '2') } } });
    expect(await find('h:2')).toEqual(password('two', '2'));
    expect(await find('h')).toBeUndefined();
  });

  it.each(['https://index.docker.io/v1/', 'docker.io', 'registry-1.docker.io', 'index.docker.io'])(
    'knows Docker Hub as %s',
    async (key) => {
      await docker({ auths: { [key]: { auth: pair('hub', 'pat') } } });
      for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'Docker.io']) {
        expect(await find(name)).toEqual(password('hub', 'pat'));
      }
    },
  );

  it('has passwords with padding, in fields of their own, and tokens', async () => {
    await docker({
      auths: {
        nul: { auth: Buffer.from('me:secret\0\0').toString('base64') },
        fields: { username: 'me', password: 'secret' },
        identity: { auth: pair('00000000-0000-0000-0000-000000000000', ''), identitytoken: 'refresh' },
        bearer: { registrytoken: 'ready' },
      },
    });
    expect(await find('nul')).toEqual(password('me', 'secret'));
    expect(await find('fields')).toEqual(password('me', 'secret'));
    expect(await find('identity')).toEqual({
      kind: 'identity',
      token: 'refresh',
      username: '00000000-0000-0000-0000-000000000000',
      from: home.dockerFile,
    });
    expect(await find('bearer')).toEqual({ kind: 'bearer', token: 'ready', from: home.dockerFile });
  });

  it.each([
    ['{"auths": {"h": {"auth": "c2VjcmV0"}', /is not JSON/],
    ['{"auths": hunter2}', /is not JSON/],
    ['[]', /is no JSON object/],
    ['{"auths": ["hunter2"]}', /"auths" is no JSON object/],
    ['{"auths": {"h": "hunter2"}}', /entry for h is no JSON object/],
    ['{"auths": {"h": {"auth": "aHVudGVyMg=="}}}', /"auth" of the entry for h is not base64/],
    ['{"credHelpers": 5}', /"credHelpers" is no JSON object/],
  ])('that is malformed is named, and not quoted: %s', async (text, said) => {
    await docker(text);
    const error = await find('h').then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'CREDENTIALS_UNUSABLE' });
    expect(error.message).toMatch(said);
    expect(error.message).toContain(home.dockerFile);
    for (let at = error; at; at = at.cause)
      expect(String(at.stack)).not.toMatch(/hunter2|aHVudGVyMg|c2VjcmV0/);
  });
});

describe("Podman's files", () => {
  it('keep credentials per repository, of which the most specific ones count', async () => {
    await home.write(home.podmanFile, {
      auths: {
        'h:5000': { auth: pair('all', '1') },
        'h:5000/team': { auth: pair('team', '2') },
        'h:5000/team/store': { auth: pair('store', '3') },
      },
    });
    const from = home.podmanFile;
    expect(await find('h:5000', 'team/store')).toEqual(password('store', '3', from));
    expect(await find('h:5000', 'team/other')).toEqual(password('team', '2', from));
    expect(await find('h:5000', 'teamwork')).toEqual(password('all', '1', from));
    expect(await find('h:5000', '')).toEqual(password('all', '1', from));
  });

  it('come in the order that the environment gives', async () => {
    const named = join(home.path, 'named.json');
    expect(credentialsPaths({ ...home.environment, REGISTRY_AUTH_FILE: named }, 'linux')).toEqual([
      named,
      home.dockerFile,
      home.podmanFile,
      join(home.path, 'config', 'containers', 'auth.json'),
    ]);
    expect(credentialsPaths(home.environment, 'darwin')).toHaveLength(2);
    const last = join(home.path, 'config', 'containers', 'auth.json');
    for (const file of [last, home.podmanFile, home.dockerFile]) {
      await home.write(file, { auths: { h: { auth: pair('from', file) } } });
      expect(await find('h')).toEqual(password('from', file, file));
    }
    await home.write(named, { auths: { h: { auth: pair('from', 'named') } } });
    home.environment.REGISTRY_AUTH_FILE = named;
    expect(await find('h')).toEqual(password('from', 'named', named));
  });
});

describe('helper programs', () => {
  // Says what it was asked, in its user name.
  const echo = 'printf \'{"ServerURL":"x","Username":"%s %s","Secret":"s"}\' "$1" "$(cat)"';

  it('are asked before the entries: the one of the registry, else the one for all', async () => {
    await home.helper('one', echo);
    await home.helper('all', echo);
    await docker({
      auths: { h: { auth: pair('entry', '1') }, other: { auth: pair('entry', '2') } },
      credHelpers: { 'https://h': 'one' },
      credsStore: 'all',
    });
    expect(await find('h')).toEqual(password('get h', 's', 'docker-credential-one'));
    expect(await find('other')).toEqual(password('get other', 's', 'docker-credential-all'));
    expect(await find('docker.io')).toMatchObject({ username: 'get https://index.docker.io/v1/' });
  });

  it('may have nothing, or an identity token', async () => {
    await home.helper('none', 'echo "credentials not found in native keychain"; exit 1');
    await home.helper('empty', 'printf \'{"Username":"","Secret":""}\'');
    await home.helper('identity', 'printf \'{"Username":"<token>","Secret":"refresh"}\'');
    await docker({
      auths: { h: { auth: pair('entry', '1') } },
      credHelpers: { h: 'none', e: 'empty', i: 'identity' },
    });
    expect(await find('h')).toEqual(password('entry', '1'));
    expect(await find('e')).toBeUndefined();
    expect(await find('i')).toEqual({
      kind: 'identity',
      token: 'refresh',
      from: 'docker-credential-identity',
    });
  });

  it.each([
    ['ecr-login', /amazon-ecr-credential-helper/],
    ['gcr', /docker-credential-gcr/],
    ['gcloud', /Google Cloud CLI/],
    ['acr-env', /docker-credential-acr-env/],
    ['desktop', /Docker Desktop/],
    ['osxkeychain', /docker-credential-helpers/],
    ['secretservice', /docker-credential-helpers/],
    ['pass', /docker-credential-helpers/],
    ['wincred', /docker-credential-helpers/],
    ['homemade', /Install it/],
  ])('that are missing are named with the file and where to get them: %s', async (name, where) => {
    home.environment.PATH = join(home.path, 'bin');
    await docker({ credHelpers: { h: name } });
    const error = await find('h').catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'CREDENTIALS_UNUSABLE' });
    expect(error.message).toContain(`docker-credential-${name}, which ${home.dockerFile} names`);
    expect(error.message).toMatch(/is not on PATH/);
    expect(error.message).toMatch(where);
  });

  it.each([
    ['prints rubbish', 'echo hunter2', /is no JSON/],
    ['prints half of it', 'printf \'{"Secret":"hunter2"}\'', /is no JSON with Username and Secret/],
    ['prints without end', 'yes hunter2', /far more than credentials/],
    ['fails', 'echo hunter2; echo hunter2 >&2; exit 3', /ended with status 3/],
    ['kills itself', 'kill -9 $$', /ended by a signal/],
  ])('that %s are reported without what they printed', async (_, script, said) => {
    await home.helper('bad', script);
    await docker({ credsStore: 'bad' });
    const error = await find('h').catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'CREDENTIALS_UNUSABLE' });
    expect(error.message).toMatch(said);
    expect(error.message).toContain('echo h | docker-credential-bad get');
    for (let at = error; at; at = at.cause) expect(String(at.stack)).not.toContain('hunter2');
  });

  it('that do not read their input are fine', async () => {
    await home.helper('deaf', 'exec <&-; printf \'{"Username":"u","Secret":"s"}\'');
    await docker({ credsStore: 'deaf' });
    expect(await find('h')).toMatchObject({ username: 'u' });
  });

  it('are no paths', async () => {
    await docker({ credsStore: '../../bin/evil' });
    await expect(find('h')).rejects.toThrow(/no program name/);
  });

  it('that hang are ended with all that they started, by the time limit or by an interruption', async () => {
    const pids = join(home.path, 'pids');
    await home.helper('hang', `sleep 1000 & echo $! >> ${pids}; echo $$ >> ${pids}; wait`);
    await docker({ credsStore: 'hang' });
    const target = { registry: 'h', repository: '' };
    const { environment } = home;
    await expect(storedCredentials(target, { environment, helperTimeoutMs: 300 })).rejects.toThrow(
      /docker-credential-hang.* did not answer within 0.3 s/,
    );
    const stop = new AbortController();
    const waiting = storedCredentials(target, { environment, signal: stop.signal });
    const interrupted = expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    const started = async () => (await readFile(pids, 'utf8')).trim().split('\n').map(Number);
    await expect.poll(async () => (await started()).length).toBe(4);
    stop.abort();
    await interrupted;
    // A zombie was killed, too; who reaps it is the system's business.
    const state = (pid: number) =>
      promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]).then(
        ({ stdout }) => stdout.trim() || 'gone',
        () => 'gone',
      );
    for (const pid of await started()) await expect.poll(() => state(pid)).toMatch(/^(Z|gone)/);
  });
});
