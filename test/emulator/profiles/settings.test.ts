import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type ProfileName,
  type ProfileSettings,
  type RunningRegistry,
  startRegistry,
} from '../../../src/emulator/index.ts';
import { PROFILE_NAMES, PROFILES } from '../../../src/emulator/profiles/index.ts';
import { selfSigned } from '../../support/selfSigned.ts';
import { call, errorCode, manifestOf, openUpload, pushBlob, putManifest, type Reply } from '../support.ts';

let registry: RunningRegistry;

afterEach(() => registry.close());

async function start(profile: ProfileName, profileSettings: ProfileSettings = {}): Promise<RunningRegistry> {
  registry = await startRegistry({ profile, profileSettings });
  return registry;
}

/** `GET` of the storage URL that a redirect names. */
async function follow(reply: Reply, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  const url = new URL(reply.headers.location ?? '');
  return call({ url: url.origin } as RunningRegistry, method, url.pathname + url.search, { headers });
}

describe('repositories that have to be created first', () => {
  test('are those that a pattern names', async () => {
    await start('ecr', { repositories: ['me/*', 'exact.name'] });
    for (const name of ['me/a', 'me/a/b', 'exact.name']) await openUpload(registry, name);
    for (const name of ['you/a', 'exactxname', 'me']) {
      const refused = await call(registry, 'POST', `/v2/${name}/blobs/uploads/`);
      expect([refused.status, errorCode(refused)]).toEqual([404, 'NAME_UNKNOWN']);
      expect(refused.body.toString()).toContain(`The repository with name '${name}' does not exist`);
    }
  });

  test('are none at first, and every read says the same', async () => {
    await start('ecr');
    expect((await call(registry, 'GET', '/v2/me/a/tags/list')).status).toBe(404);
    expect((await call(registry, 'GET', '/v2/')).status).toBe(200);
  });
});

describe('caps on requests', () => {
  test('are off by default', async () => {
    await start('ecr', { repositories: ['*'] });
    for (let n = 0; n < 200; n++) await openUpload(registry, 'me/a');
  });

  test('are a bucket for each kind, and come back with time', async () => {
    let nowMs = 0;
    await start('ecr', { repositories: ['*'], rateScale: 0.3, now: () => nowMs });
    const bytes = await manifestOf(registry, 'me/a', { layers: [] });
    const put = async () => (await putManifest(registry, 'me/a', 'v1', bytes)).status;
    // PutImage is 10 a second: 3 of them. What is put has no layer and is refused for that, but counts.
    expect([await put(), await put(), await put(), await put()]).toEqual([405, 405, 405, 429]);
    await openUpload(registry, 'me/a');
    nowMs += 334;
    expect([await put(), await put()]).toEqual([405, 429]);
  });

  test('of GHCR tell the delay in the message, as Go writes it', async () => {
    await start('ghcr', { rateScale: 0.03, now: () => 0 });
    await openUpload(registry, 'me/a');
    const refused = await call(registry, 'POST', '/v2/me/a/blobs/uploads/');
    expect([refused.status, errorCode(refused)]).toEqual([429, 'TOOMANYREQUESTS']);
    expect(refused.body.toString()).toMatch(/retry-after: [\d.]+(?:s|ms|µs), allowed: 60\/minute/);
    expect(refused.headers['retry-after']).toBeUndefined();
  });

  test('of Docker Hub count pulls over hours, with headers', async () => {
    let nowMs = 0;
    await start('dockerhub', { rateScale: 0.02, now: () => nowMs });
    const pull = () => call(registry, 'GET', '/v2/me/a/manifests/v1');
    expect((await pull()).status).toBe(404);
    nowMs += 1000;
    expect((await pull()).status).toBe(404);
    nowMs += 3_600_000;
    const refused = await pull();
    expect(refused.status).toBe(429);
    expect(refused.headers['ratelimit-limit']).toBe('100;w=21600');
  });

  test('of Harbor have a code of their own', async () => {
    await start('harbor', { rateScale: 0.01, now: () => 0 });
    await call(registry, 'GET', '/v2/me/a/tags/list');
    const refused = await call(registry, 'GET', '/v2/me/a/tags/list');
    expect([refused.status, errorCode(refused)]).toEqual([429, 'TOO_MANY_REQUEST']);
  });
});

test('a quota is refused as the provider refuses it', async () => {
  await start('harbor', { quotaBytes: 1000 });
  await pushBlob(registry, 'me/a', Buffer.alloc(900));
  const path = await openUpload(registry, 'me/a');
  const refused = await call(registry, 'PATCH', path, { body: Buffer.alloc(200) });
  expect([refused.status, errorCode(refused)]).toEqual([403, 'DENIED']);
});

test('a blob that garbage collection is at has to be uploaded again', async () => {
  await start('harbor');
  const digest = await pushBlob(registry, 'me/a', 'content');
  const head = () => call(registry, 'GET', `/v2/me/a/blobs/${digest}`);
  registry.collectBlob('me/a', digest);
  const refused = await head();
  expect(refused.status).toBe(404);
  expect(refused.body.toString()).toContain('the asking blob is in GC');
  await pushBlob(registry, 'me/a', 'content');
  expect((await head()).status).toBe(200);
});

describe('the storage host', () => {
  const content = Buffer.from('0123456789');

  test('takes a signed URL, with a range, and nothing else', async () => {
    await start('quay');
    const digest = await pushBlob(registry, 'me/a', content);
    const redirect = await call(registry, 'GET', `/v2/me/a/blobs/${digest}`);
    expect(redirect.status).toBe(302);
    expect(new URL(redirect.headers.location ?? '').port).not.toBe(String(registry.port));
    expect((await follow(redirect)).body).toEqual(content);
    const part = await follow(redirect, { Range: 'bytes=2-4' });
    expect([part.status, part.headers['content-range'], part.body.toString()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    const both = await follow(redirect, { Authorization: 'Bearer token' });
    expect([both.status, both.body.toString()]).toEqual([
      400,
      expect.stringContaining('Only one auth mechanism'),
    ]);
    expect((await follow(redirect, {}, 'HEAD')).status).toBe(403);
    redirect.headers.location = redirect.headers.location?.replace(/Signature=..../, 'Signature=0000');
    expect((await follow(redirect)).status).toBe(403);
    expect(registry.storageRequests().map(({ status }) => status)).toEqual([200, 206, 400, 403, 403]);
    expect(registry.storageRequests()[2]?.headers).toContain('authorization');
  });

  test('refuses a URL that has run out', async () => {
    let nowMs = 0;
    await start('ghcr', { signedUrlLifeMs: 1000, now: () => nowMs });
    const digest = await pushBlob(registry, 'me/a', content);
    const redirect = await call(registry, 'GET', `/v2/me/a/blobs/${digest}`);
    nowMs = 1001;
    const late = await follow(redirect);
    expect([late.status, late.body.toString()]).toEqual([
      403,
      expect.stringContaining('Request has expired'),
    ]);
  });

  test('is not there where blobs come from the registry', async () => {
    await start('harbor');
    const digest = await pushBlob(registry, 'me/a', content);
    expect((await call(registry, 'GET', `/v2/me/a/blobs/${digest}`)).body).toEqual(content);
    expect(registry.storageRequests()).toEqual([]);
  });
});

describe('credentials', () => {
  const users = { me: { password: 'secret' } };
  const challenge = async (path: string, method = 'GET') => {
    const reply = await call(registry, method, path);
    expect(reply.status).toBe(401);
    return String(reply.headers['www-authenticate']);
  };
  const tags = '/v2/me/a/tags/list';

  test.each([
    ['ecr', 'Basic', undefined, undefined],
    ['zot', 'Basic', undefined, undefined],
    ['cloudflare', 'Basic', undefined, undefined],
    ['ghcr', 'Bearer', '/token', 'repository:me/a:pull'],
    ['gar', 'Bearer', '/v2/token', 'repository:me/a:pull'],
    ['dockerhub', 'Bearer', '/token', 'repository:me/a:pull'],
    ['harbor', 'Bearer', '/service/token', 'repository:me/a:pull'],
    ['quay', 'Bearer', '/v2/auth', 'repository:me/a:pull'],
    ['acr', 'Bearer', '/oauth2/token', 'repository:me/a:metadata_read'],
    ['gitlab', 'Bearer', '/jwt/auth', 'repository:me/a:pull'],
    ['artifactory', 'Bearer', '/v2/token', 'repository:a:pull'],
  ] as const)('%s asks for %s', async (profile, scheme, path, scope) => {
    await start(profile, { users, repositories: ['*'] });
    const header = await challenge(tags);
    expect(header).toMatch(new RegExp(`^${scheme} `));
    if (path) expect(header).toContain(`realm="${registry.url}${path}"`);
    if (scope) expect(header).toContain(`scope="${scope}"`);
  });

  test.each(PROFILE_NAMES)('%s is used with what its challenge asks for', async (profile) => {
    await start(profile, { users, repositories: ['*'] });
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    const header = await challenge('/v2/me/a/blobs/uploads/', 'POST');
    let authorization = basic;
    if (header.startsWith('Bearer')) {
      const [, realm = '', service = '', scope = ''] =
        /realm="([^"]*)",service="([^"]*)",scope="([^"]*)"/.exec(header) ?? [];
      const query = new URLSearchParams({ service, scope });
      const path = new URL(realm).pathname;
      const answer = await call(registry, 'GET', `${path}?${query}`, { headers: { Authorization: basic } });
      const fields = JSON.parse(answer.body.toString());
      const { auth } = PROFILES[profile] as { auth: { field?: string; showsLife?: boolean } };
      expect('expires_in' in fields).toBe(auth.showsLife !== false);
      expect('token' in fields).toBe(auth.field !== 'access_token');
      authorization = `Bearer ${fields.token ?? fields.access_token}`;
    }
    const opened = await call(registry, 'POST', '/v2/me/a/blobs/uploads/', {
      headers: { Authorization: authorization },
    });
    expect(opened.status).toBe(202);
  });

  test('of GitLab want two scopes in one string', async () => {
    await start('gitlab', { users });
    const header = await challenge('/v2/me/a/blobs/uploads/', 'POST');
    expect(header).toContain('scope="repository:me/a:pull repository:me/a:push"');
  });

  test('of ACR put push first, and name deletion alone', async () => {
    await start('acr', { users });
    expect(await challenge('/v2/me/a/blobs/uploads/', 'POST')).toContain('scope="repository:me/a:push,pull"');
    expect(await challenge('/v2/me/a/manifests/v1', 'DELETE')).toContain('scope="repository:me/a:delete"');
  });

  test('of Artifactory may be of either kind', async () => {
    await start('artifactory', { users });
    expect(await challenge(tags)).toMatch(/^Bearer .*, Basic realm=/);
  });
});

test('behind TLS Artifactory sends its clients to plain HTTP', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
  const tls = await selfSigned(folder).finally(() => rm(folder, { recursive: true }));
  registry = await startRegistry({ profile: 'artifactory', tls });
  const location = await new Promise<string | undefined>((resolve, reject) => {
    const options = { method: 'POST', rejectUnauthorized: false, agent: false };
    request(`${registry.url}/v2/me/a/blobs/uploads/`, options, (reply) => {
      reply.resume();
      resolve(reply.headers.location);
    })
      .on('error', reject)
      .end();
  });
  expect(location).toMatch(new RegExp(`^http://${registry.address}/v2/me/a/blobs/uploads/.*\\.patch$`));
});

test('Cloudflare deletes a digest of many tags in several requests', async () => {
  await start('cloudflare');
  const bytes = await manifestOf(registry, 'me/a');
  let digest = '';
  for (let n = 0; n < 1001; n++) {
    digest = String((await putManifest(registry, 'me/a', `t${n}`, bytes)).headers['docker-content-digest']);
  }
  const remove = () => call(registry, 'DELETE', `/v2/me/a/manifests/${digest}`);
  const first = await remove();
  expect([first.status, errorCode(first)]).toEqual([400, 'MANIFEST_TAGS']);
  expect(first.headers.link).toContain(`/manifests/${digest}>`);
  expect((await remove()).status).toBe(202);
  expect((await call(registry, 'GET', '/v2/me/a/tags/list')).body.toString()).toContain('"tags":[]');
});
