import { afterEach, describe, expect, it } from 'vitest';
import { type AuthOptions, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';

const running: RunningRegistry[] = [];

afterEach(async () => {
  for (const registry of running.splice(0)) await registry.close();
});

const USERS: AuthOptions['users'] = {
  owner: { password: 'o:wn' },
  reader: { password: 'r', rights: [{ repositories: 'team/*', actions: ['pull'] }] },
  machine: { password: 'm', identityToken: 'long-lived' },
};

async function start(auth: Partial<AuthOptions>): Promise<RunningRegistry> {
  const registry = await startRegistry({ auth: { scheme: 'bearer', users: USERS, ...auth } });
  running.push(registry);
  return registry;
}

const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function tokenFor(registry: RunningRegistry, scope: string, headers: Record<string, string>) {
  const answer = await fetch(`${registry.url}/token?service=s&scope=${scope}`, { headers });
  return { status: answer.status, ...((await answer.json()) as { token: string; expires_in?: number }) };
}

const tags = (registry: RunningRegistry, headers: Record<string, string> = {}, name = 'team/store') =>
  fetch(`${registry.url}/v2/${name}/tags/list`, { headers });
const upload = (registry: RunningRegistry, headers: Record<string, string> = {}) =>
  fetch(`${registry.url}/v2/team/store/blobs/uploads/`, { method: 'POST', headers });

describe('Basic', () => {
  it('asks on every route, and lets those in who may', async () => {
    const registry = await start({ scheme: 'basic' });
    for (const path of ['/v2/', '/v2/team/store/tags/list', '/v2/team/store/manifests/CONFIG', '/nowhere']) {
      const answer = await fetch(registry.url + path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="kloset-oci-emulator"');
      expect(await answer.json()).toEqual({
        errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }],
      });
    }
    expect((await fetch(`${registry.url}/v2/`, { headers: basic('owner', 'o:wn') })).status).toBe(200);
    expect((await fetch(`${registry.url}/v2/`, { headers: basic('owner', 'wrong') })).status).toBe(401);
    expect((await upload(registry, basic('owner', 'o:wn'))).status).toBe(202);
    expect(registry.tokensIssued()).toBe(0);
  });

  it('answers 403 where the account is right and its rights are not', async () => {
    const registry = await start({ scheme: 'basic' });
    expect((await tags(registry, basic('reader', 'r'))).status).toBe(404);
    expect((await upload(registry, basic('reader', 'r'))).status).toBe(403);
    expect((await tags(registry, basic('reader', 'r'), 'private/store')).status).toBe(403);
  });

  it('lets everybody do what anonymous may, and asks for the rest', async () => {
    const registry = await start({
      scheme: 'basic',
      anonymous: [{ repositories: '*', actions: ['pull'] }],
    });
    expect((await tags(registry)).status).toBe(404);
    expect((await upload(registry)).status).toBe(401);
  });
});

describe('Bearer', () => {
  it('names service and scope, and takes a token that covers it', async () => {
    const registry = await start({});
    const challenge = (await upload(registry)).headers.get('www-authenticate');
    expect(challenge).toBe(
      `Bearer realm="${registry.url}/token",service="kloset-oci-emulator",scope="repository:team/store:pull,push"`,
    );
    const { token } = await tokenFor(registry, 'repository:team/store:pull,push', basic('owner', 'o:wn'));
    expect((await upload(registry, bearer(token))).status).toBe(202);
    expect((await fetch(`${registry.url}/v2/`, { headers: bearer(token) })).status).toBe(200);
    expect(registry.tokensIssued()).toBe(1);
  });

  it('grants what the account has of what was asked, and says at the registry what is missing', async () => {
    const registry = await start({});
    const { status, token } = await tokenFor(
      registry,
      'repository:team/store:pull,push',
      basic('reader', 'r'),
    );
    expect(status).toBe(200);
    expect((await tags(registry, bearer(token))).status).toBe(404);
    const refused = await upload(registry, bearer(token));
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });

  it('asks for pull of the source where a blob is to be mounted', async () => {
    const registry = await start({});
    const answer = await fetch(
      `${registry.url}/v2/team/store/blobs/uploads/?mount=sha256:${'a'.repeat(64)}&from=team/other`,
      { method: 'POST' },
    );
    expect(answer.headers.get('www-authenticate')).toContain(
      'scope="repository:team/store:pull,push repository:team/other:pull"',
    );
  });

  it('ends tokens by time and by revocation', async () => {
    let now = 1_000_000;
    const registry = await start({ now: () => now, tokens: { tokenLifeMs: 5000 } });
    const scope = 'repository:team/store:pull';
    const first = await tokenFor(registry, scope, basic('owner', 'o:wn'));
    expect(first.expires_in).toBe(5);
    now += 4999;
    expect((await tags(registry, bearer(first.token))).status).toBe(404);
    now += 1;
    const expired = await tags(registry, bearer(first.token));
    expect(expired.status).toBe(401);
    expect(expired.headers.get('www-authenticate')).toContain('error="invalid_token"');
    const second = await tokenFor(registry, scope, basic('owner', 'o:wn'));
    expect((await tags(registry, bearer(second.token))).status).toBe(404);
    registry.revokeTokens();
    expect((await tags(registry, bearer(second.token))).status).toBe(401);
  });

  it('refuses wrong credentials, and none where nothing is for everybody', async () => {
    const registry = await start({});
    expect((await tokenFor(registry, 'repository:a:pull', basic('owner', 'no'))).status).toBe(401);
    expect((await tokenFor(registry, 'repository:a:pull', {})).status).toBe(401);
    const open = await start({ anonymous: [{ repositories: '*', actions: ['pull'] }] });
    const { token } = await tokenFor(open, 'repository:team/store:pull,push', {});
    expect((await tags(open, bearer(token))).status).toBe(404);
    expect((await upload(open, bearer(token))).status).toBe(401);
  });

  it('trades passwords, refresh tokens and identity tokens by POST', async () => {
    const registry = await start({ tokens: { field: 'access_token' } });
    const trade = async (form: Record<string, string>) => {
      const body = new URLSearchParams({ service: 's', client_id: 'c', ...form });
      const answer = await fetch(`${registry.url}/token`, { method: 'POST', body });
      return { status: answer.status, body: (await answer.json()) as Record<string, string> };
    };
    const scope = 'repository:team/store:pull';
    const login = await trade({
      grant_type: 'password',
      username: 'owner',
      password: 'o:wn',
      access_type: 'offline',
      scope,
    });
    expect(Object.keys(login.body)).toEqual(['access_token', 'expires_in', 'scope', 'refresh_token']);
    for (const refresh of [login.body.refresh_token as string, 'long-lived']) {
      const traded = await trade({ grant_type: 'refresh_token', refresh_token: refresh, scope });
      expect((await tags(registry, bearer(traded.body.access_token as string))).status).toBe(404);
    }
    expect((await trade({ grant_type: 'refresh_token', refresh_token: 'made up' })).status).toBe(401);
    expect((await trade({ grant_type: 'magic' })).status).toBe(400);
    expect((await trade({ grant_type: 'password', client_id: '' })).status).toBe(400);
  });

  it.each([400, 401, 404, 405] as const)('refuses POST with %i where it only knows GET', async (post) => {
    const registry = await start({ tokens: { post } });
    expect((await fetch(`${registry.url}/token`, { method: 'POST', body: 'a=b' })).status).toBe(post);
  });

  it('spells challenges as registries do', async () => {
    const both = await start({
      scheme: 'both',
      challenge: {
        layout: 'two-headers',
        service: null,
        scope: ({ route }, usual) => (route === 'tags' ? 'repository:team/store:metadata_read' : usual),
      },
    });
    const raw = (await tags(both)).headers.get('www-authenticate');
    expect(raw).toBe(
      `Bearer realm="${both.url}/token",scope="repository:team/store:metadata_read", Basic realm="kloset-oci-emulator"`,
    );
    const { token } = await tokenFor(both, 'repository:team/store:metadata_read', basic('reader', 'r'));
    expect((await tags(both, bearer(token))).status).toBe(404);
    expect((await tags(both, basic('reader', 'r'))).status).toBe(404);

    const renamed = await start({
      challenge: { repositoryName: (name) => name.replace(/^[^/]*\//, '') },
    });
    expect((await tags(renamed)).headers.get('www-authenticate')).toContain('scope="repository:store:pull"');
    const short = await tokenFor(renamed, 'repository:store:pull', basic('reader', 'r'));
    expect((await tags(renamed, bearer(short.token))).status).toBe(404);
    expect((await tags(renamed, bearer(short.token), 'private/store')).status).toBe(401);
  });

  it('gives tokens without a scope nothing but /v2/, unless told otherwise', async () => {
    for (const [withoutScope, status] of [
      ['nothing', 401],
      ['everything', 404],
    ] as const) {
      const registry = await start({ tokens: { withoutScope, form: 'jwt', showsLife: false } });
      const answer = await tokenFor(registry, '', basic('reader', 'r'));
      expect(answer.expires_in).toBeUndefined();
      const claims = JSON.parse(Buffer.from(answer.token.split('.')[1] ?? '', 'base64url').toString());
      expect(claims.exp).toBeGreaterThan(Date.now() / 1000);
      expect((await fetch(`${registry.url}/v2/`, { headers: bearer(answer.token) })).status).toBe(200);
      expect((await tags(registry, bearer(answer.token))).status).toBe(status);
    }
  });
});
