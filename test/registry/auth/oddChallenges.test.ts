/** Challenges as registries spell them, and where credentials go. */
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthOptions } from '../../../src/emulator/index.ts';
import { getManifest } from '../../../src/registry/manifests.ts';
import { startUpload } from '../../../src/registry/uploads.ts';
import { type AuthRig, OWNER, REPOSITORY, startAuthRig, watch } from './rig.ts';

let rig: AuthRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});
const start = async (auth: Partial<AuthOptions> = {}) => {
  rig = await startAuthRig(auth);
  return rig;
};

describe('odd challenges', () => {
  it('with two schemes, in one header or in two: Bearer', async () => {
    for (const layout of ['one-header', 'two-headers'] as const) {
      const { registry, client, close } = await start({ scheme: 'both', challenge: { layout } });
      const seen = watch(registry);
      await getManifest(client({ given: OWNER }), 'CONFIG');
      expect(seen.at(-1)).toBe('GET manifest Bearer');
      await close();
    }
  });

  it.each([
    [
      'two scopes in one string',
      () => `repository:${REPOSITORY}:pull repository:other:pull`,
      [`repository:${REPOSITORY}:pull,push`, 'repository:other:pull'],
    ],
    [
      'an action of its own',
      () => `repository:${REPOSITORY}:metadata_read`,
      [`repository:${REPOSITORY}:metadata_read,pull,push`],
    ],
    ['another order', () => `repository:${REPOSITORY}:push,pull`, [`repository:${REPOSITORY}:push,pull`]],
    ['delete alone', () => `repository:${REPOSITORY}:delete`, [`repository:${REPOSITORY}:delete,pull,push`]],
    ['no scope', () => undefined, [`repository:${REPOSITORY}:pull,push`]],
    ['no scope that we know', () => ':any', [':any', `repository:${REPOSITORY}:pull,push`]],
  ])('%s', async (_, scope, asked) => {
    const { registry, client } = await start({ challenge: { scope } });
    const seen = watch(registry);
    expect(await getManifest(client({ given: OWNER }), 'CONFIG')).toBeUndefined();
    expect(seen.filter((line) => line.includes('token'))).toEqual([`GET token Basic ${asked.join(' ')}`]);
  });

  it('with another name for the repository, which comes first in what is asked', async () => {
    const { registry, client } = await start({
      challenge: { repositoryName: (name) => name.replace(/^[^/]*\//, '') },
    });
    const seen = watch(registry);
    const exchange = client({ given: OWNER });
    await getManifest(exchange, 'CONFIG');
    await startUpload(exchange);
    await startUpload(exchange);
    await getManifest(exchange, 'CONFIG');
    expect(seen.filter((line) => line.includes('token'))).toEqual([
      `GET token Basic repository:store:pull repository:${REPOSITORY}:pull,push`,
    ]);
  });

  it('of a service that grants the first scope only end with a token for each', async () => {
    const { registry, client } = await start();
    registry.setFaults({
      before: ({ route, query }) => {
        if (route === 'token')
          for (const scope of query.getAll('scope').slice(1)) query.delete('scope', scope);
        return undefined;
      },
    });
    const exchange = client({ given: OWNER });
    const mount = { digest: `sha256:${'0'.repeat(64)}`, from: 'team/other' };
    await getManifest(exchange, 'CONFIG');
    // Nothing that asks for two repositories can come to an end there; what asks for one goes on.
    await expect(startUpload(exchange, mount)).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect(await getManifest(exchange, 'CONFIG')).toBeUndefined();
    expect(await startUpload(exchange)).toHaveProperty('url');
  });

  it('of a service that refuses the whole for a part of it are answered with what is needed', async () => {
    const { registry, client } = await start();
    registry.setFaults({
      before: ({ route, query }) =>
        route === 'token' && query.get('scope')?.includes('push')
          ? { kind: 'respond', status: 403 }
          : undefined,
    });
    const exchange = client({ given: { username: 'reader', password: 'look' } });
    expect(await getManifest(exchange, 'CONFIG')).toBeUndefined();
    await expect(startUpload(exchange)).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect(await getManifest(exchange, 'CONFIG')).toBeUndefined();
  });

  it('of schemes that nobody speaks, or of none at all, are clear errors', async () => {
    const { registry, client } = await start();
    const answer = (challenge: string | undefined) =>
      registry.setFaults({
        before: () => ({
          kind: 'respond',
          status: 401,
          headers: challenge === undefined ? {} : { 'WWW-Authenticate': challenge },
        }),
      });
    answer('Negotiate, NTLM');
    await expect(getManifest(client({ given: OWNER }), 'CONFIG')).rejects.toThrow(
      /asks for negotiate, ntlm, which is not supported/,
    );
    answer(undefined);
    await expect(getManifest(client({ given: OWNER }), 'CONFIG')).rejects.toThrow(
      /does not say how to log in/,
    );
  });
});

describe('where credentials go', () => {
  it('to no other host than the registry and its token service, and no cookie goes anywhere', async () => {
    const { registry, client } = await start({ scheme: 'basic' });
    const seen: (string | undefined)[] = [];
    registry.setFaults({
      before: ({ headers }) => {
        seen.push(`${headers.host} ${headers.authorization?.split(' ')[0]} ${headers.cookie}`);
        return headers.host?.startsWith('localhost') ? { kind: 'respond', status: 202 } : undefined;
      },
      answer: (_, head) => ({ ...head, headers: { ...head.headers, 'set-cookie': 'sid=secret' } }),
    });
    const exchange = client({ given: OWNER });
    await startUpload(exchange);
    const elsewhere = new URL(`http://localhost:${registry.port}/upload`);
    await exchange.transport({ kind: 'upload-chunk', method: 'PATCH', url: elsewhere });
    const here = `127.0.0.1:${registry.port}`;
    expect(seen).toEqual([
      `${here} undefined undefined`,
      `${here} Basic undefined`,
      `localhost:${registry.port} undefined undefined`,
    ]);
  });

  it('to a ping neither: a 401 is what it wants to know', async () => {
    const { registry, client } = await start();
    const exchange = client({ given: OWNER });
    const url = new URL(`${registry.url}/v2/`);
    expect((await exchange.transport({ kind: 'ping', method: 'GET', url })).status).toBe(401);
    expect(registry.tokensIssued()).toBe(0);
  });

  it('to a registry that hides from strangers what it has, after a look at /v2/', async () => {
    const { registry, client } = await start();
    const seen: string[] = [];
    registry.setFaults({
      before: ({ method, route, headers }) => {
        seen.push(`${method} ${route} ${headers.authorization?.split(' ')[0] ?? 'nobody'}`);
        return route === 'manifest' && !headers.authorization ? { kind: 'respond', status: 404 } : undefined;
      },
    });
    await getManifest(client({ given: OWNER }), 'CONFIG');
    expect(seen).toEqual([
      'GET manifest nobody',
      'GET ping nobody',
      'GET token Basic',
      'GET manifest Bearer',
    ]);
  });

  it.each([
    ['ftp://127.0.0.1/token', /is not HTTP/],
    ['http://[', /no URL/],
  ])('to no realm such as %s', async (realm, said) => {
    const { client } = await start({ challenge: { realm } });
    await expect(getManifest(client({ given: OWNER }), 'CONFIG')).rejects.toThrow(said);
  });
});
