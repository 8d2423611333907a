/** Logging in, against a registry with a token service of its own. */
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthOptions } from '../../../src/emulator/index.ts';
import { deleteManifest, getManifest } from '../../../src/registry/manifests.ts';
import { startUpload } from '../../../src/registry/uploads.ts';
import { pair } from '../../support/credentialHome.ts';
import { type AuthRig, EVERYBODY_READS, OWNER, REPOSITORY, startAuthRig, watch } from './rig.ts';

let rig: AuthRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});
const start = async (auth: Partial<AuthOptions> = {}) => {
  rig = await startAuthRig(auth);
  return rig;
};

describe('Basic', () => {
  it('is sent once the registry has asked, and with every request from then on', async () => {
    const { registry, client } = await start({ scheme: 'basic' });
    const seen = watch(registry);
    const exchange = client({ given: OWNER });
    expect(await getManifest(exchange, 'CONFIG')).toBeUndefined();
    await startUpload(exchange);
    expect(seen).toEqual(['GET manifest nobody', 'GET manifest Basic', 'POST upload-start Basic']);
  });

  it('with a wrong password ends with one clear line, after one attempt', async () => {
    const { registry, client } = await start({ scheme: 'basic' });
    const seen = watch(registry);
    const exchange = client({ given: { username: 'owner', password: 'wrong' } });
    await expect(getManifest(exchange, 'CONFIG')).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      message: expect.stringMatching(
        /team\/store: the registry refuses the credentials from the options: user name or password is wrong/,
      ),
    });
    expect(seen).toEqual(['GET manifest nobody', 'GET manifest Basic']);
  });

  it('without credentials says how to log in', async () => {
    const { client, registry } = await start({ scheme: 'basic' });
    await expect(startUpload(client())).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      message: expect.stringContaining(`Log in with "kloset-oci login 127.0.0.1:${registry.port}"`),
    });
  });

  it('without rights is refused by the registry', async () => {
    const { client } = await start({ scheme: 'basic' });
    const exchange = client({ given: { username: 'reader', password: 'look' } });
    expect(await getManifest(exchange, 'CONFIG')).toBeUndefined();
    await expect(startUpload(exchange)).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  });

  it('cannot be done with a token', async () => {
    const { client } = await start({ scheme: 'basic' });
    await expect(getManifest(client({ given: { token: 'x' } }), 'CONFIG')).rejects.toThrow(
      /takes user name and password only, and the credentials from the options are a token/,
    );
  });

  it('is looked up again when it was refused, and used where it has changed', async () => {
    const { home, registry, client } = await start({ scheme: 'basic' });
    const counter = `${home.path}/asked`;
    await home.helper(
      'rotating',
      `echo x >> ${counter}; if [ $(wc -l < ${counter}) = 1 ]; then p=old; else p=o:wn; fi
printf '{"Username":"owner","Secret":"%s"}' "$p"`,
    );
    await home.write(home.dockerFile, { credsStore: 'rotating' });
    const seen = watch(registry);
    expect(await getManifest(client(), 'CONFIG')).toBeUndefined();
    expect(seen).toEqual(['GET manifest nobody', 'GET manifest Basic', 'GET manifest Basic']);
  });

  it('that ended with a 403, as on ECR, is looked up again', async () => {
    const { home, registry, client } = await start({ scheme: 'basic' });
    await home.write(home.dockerFile, { auths: { [registry.address]: { auth: pair('reader', 'look') } } });
    const exchange = client();
    expect(await getManifest(exchange, 'CONFIG')).toBeUndefined();
    await home.write(home.dockerFile, { auths: { [registry.address]: { auth: pair('owner', 'o:wn') } } });
    expect(await startUpload(exchange)).toHaveProperty('url');
  });
});

describe('Bearer', () => {
  it('asks once for what the store will do next, and adds what comes up', async () => {
    const { registry, client } = await start();
    const seen = watch(registry);
    const exchange = client({ given: OWNER });
    await getManifest(exchange, 'CONFIG');
    await startUpload(exchange);
    await deleteManifest(exchange, 'CONFIG');
    await startUpload(exchange);
    await getManifest(exchange, 'CONFIG');
    expect(seen).toEqual([
      'GET manifest nobody',
      `GET token Basic repository:${REPOSITORY}:pull,push`,
      'GET manifest Bearer',
      'POST upload-start Bearer',
      `GET token Basic repository:${REPOSITORY}:pull,delete,push`,
      'DELETE manifest Bearer',
      'POST upload-start Bearer',
      'GET manifest Bearer',
    ]);
  });

  it('without credentials asks for no more than it needs, and says how to log in for the rest', async () => {
    const { registry, client } = await start({ anonymous: EVERYBODY_READS });
    const seen = watch(registry);
    const exchange = client();
    expect(await getManifest(exchange, 'CONFIG')).toBeUndefined();
    await expect(startUpload(exchange)).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      message: expect.stringMatching(/wants a login to push to this repository, and there is none/),
    });
    expect(seen.filter((line) => line.includes('token'))).toEqual([
      `GET token nobody repository:${REPOSITORY}:pull`,
      `GET token nobody repository:${REPOSITORY}:pull,push`,
    ]);
  });

  it('shares one token request among all who wait', async () => {
    const { registry, client } = await start();
    const exchange = client({ given: OWNER });
    await Promise.all(Array.from({ length: 24 }, () => getManifest(exchange, 'CONFIG')));
    expect(registry.tokensIssued()).toBe(1);
    registry.revokeTokens();
    await Promise.all(Array.from({ length: 24 }, () => getManifest(exchange, 'CONFIG')));
    expect(registry.tokensIssued()).toBe(2);
  });

  it('tells a wrong password from missing rights, and asks for no further token', async () => {
    const { registry, client } = await start();
    const wrong = client({ given: { username: 'owner', password: 'wrong' } });
    await expect(getManifest(wrong, 'CONFIG')).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      message: expect.stringMatching(
        /the token service 127.0.0.1:\d+ refuses the credentials from the options/,
      ),
    });
    expect(registry.countRequests({ route: 'token' })).toBe(1);
    const reader = client({ given: { username: 'reader', password: 'look' } });
    expect(await getManifest(reader, 'CONFIG')).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      await expect(startUpload(reader)).rejects.toMatchObject({
        code: 'ACCESS_DENIED',
        message: expect.stringMatching(/credentials from the options\) has no right to push/),
      });
    }
    await expect(deleteManifest(reader, 'CONFIG')).rejects.toThrow(/has no right to delete/);
    expect(registry.tokensIssued()).toBe(2);
  });

  it('replaces tokens before they end, by the life that the service tells', async () => {
    let skewMs = 0;
    const clocks: { now(): number }[] = [];
    const { registry, client } = await start({
      tokens: { tokenLifeMs: 5000 },
      now: () => (clocks[0]?.now() ?? 0) + skewMs,
    });
    const exchange = client({ given: OWNER });
    clocks.push(exchange.clock);
    for (let second = 0; second < 60; second++) {
      await getManifest(exchange, 'CONFIG');
      await exchange.clock.sleep(250);
    }
    // 15 s: at 0, 4.5, 9 and 13.5.
    expect(registry.tokensIssued()).toBe(4);
    // The first 401 was the last one.
    expect(registry.requestLog().filter(({ status }) => status === 401)).toHaveLength(1);
    // A token that ends behind our back costs one 401.
    skewMs = 10_000;
    await getManifest(exchange, 'CONFIG');
    expect(registry.requestLog().filter(({ status }) => status === 401)).toHaveLength(2);
    expect(registry.tokensIssued()).toBe(5);
  });

  it('takes a registry that refuses fresh tokens at its word', async () => {
    const { registry, client } = await start({ tokens: { tokenLifeMs: 1 }, now: clockThatRuns(10) });
    await expect(getManifest(client({ given: OWNER }), 'CONFIG')).rejects.toMatchObject({
      code: 'TOKEN_SERVICE_FAILED',
      message: expect.stringMatching(/refuses a token that its own token service .* has just given/),
    });
    expect(registry.tokensIssued()).toBe(1);
  });

  it.each([
    ['access_token alone, without a life', { field: 'access_token', showsLife: false }],
    ['both fields, a JWT', { field: 'both', form: 'jwt', showsLife: false }],
  ] as const)('takes %s', async (_, tokens) => {
    const { client } = await start({ tokens });
    expect(await getManifest(client({ given: OWNER }), 'CONFIG')).toBeUndefined();
  });

  it('goes with the token that it was given', async () => {
    const { registry, client } = await start();
    const answer = await fetch(`${registry.url}/token?scope=repository:${REPOSITORY}:pull`, {
      headers: { authorization: `Basic ${pair('owner', 'o:wn')}` },
    });
    const { token } = (await answer.json()) as { token: string };
    expect(await getManifest(client({ given: { token } }), 'CONFIG')).toBeUndefined();
    expect(registry.tokensIssued()).toBe(1);
    await expect(getManifest(client({ given: { token: 'other' } }), 'CONFIG')).rejects.toThrow(
      /refuses the credentials from the options: the token is wrong or has ended/,
    );
  });

  it('looks up a password again that the service refuses', async () => {
    const { home, registry, client } = await start({ tokens: { tokenLifeMs: 5000 } });
    const entry = (password: string) => ({
      auths: { [registry.address]: { auth: pair('owner', password) } },
    });
    await home.write(home.dockerFile, entry('o:wn'));
    const exchange = client();
    await getManifest(exchange, 'CONFIG');
    // As Google's helper does, whose passwords live for an hour.
    registry.setFaults({
      before: ({ route, headers }) =>
        route === 'token' && headers.authorization === `Basic ${pair('owner', 'o:wn')}`
          ? { kind: 'respond', status: 401 }
          : undefined,
    });
    await home.write(home.dockerFile, { auths: { [registry.address]: { auth: pair('writer', 'write') } } });
    await exchange.clock.sleep(5000);
    expect(await getManifest(exchange, 'CONFIG')).toBeUndefined();
    expect(registry.tokensIssued()).toBe(2);
  });
});

describe('identity tokens', () => {
  const identity = async (post: NonNullable<AuthOptions['tokens']>['post'], username = 'owner') => {
    const started = await start({ tokens: { post: post ?? 'oauth2', tokenLifeMs: 5000 } });
    const { home, registry } = started;
    await home.write(home.dockerFile, {
      auths: { [registry.address]: { auth: pair(username, ''), identitytoken: 'long-lived' } },
    });
    return started;
  };

  it('are traded by POST, and the refresh token that comes with it is used next', async () => {
    const { registry, client } = await identity('oauth2');
    const seen = watch(registry);
    const exchange = client();
    await getManifest(exchange, 'CONFIG');
    await exchange.clock.sleep(5000);
    await getManifest(exchange, 'CONFIG');
    expect(seen.filter((line) => line.includes('token'))).toEqual(['POST token nobody', 'POST token nobody']);
  });

  it.each([400, 401, 404, 405] as const)('go by GET where POST is answered %i', async (post) => {
    const { home, registry, client } = await identity(post);
    const seen = watch(registry);
    const exchange = client();
    // The identity token as the password, which this service does not take.
    await expect(getManifest(exchange, 'CONFIG')).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    expect(seen.filter((line) => line.includes('token'))).toEqual([
      'POST token nobody',
      `GET token Basic repository:${REPOSITORY}:pull,push`,
    ]);
    await home.write(home.dockerFile, {
      auths: { [registry.address]: { auth: pair('owner', ''), identitytoken: 'o:wn' } },
    });
    expect(await getManifest(client(), 'CONFIG')).toBeUndefined();
  });
});

function clockThatRuns(stepMs: number): () => number {
  let now = 0;
  return () => {
    now += stepMs;
    return now;
  };
}
