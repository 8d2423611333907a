/** Token services that are down, slow, or answer nonsense. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthOptions, FaultAction } from '../../../src/emulator/index.ts';
import { getManifest } from '../../../src/registry/manifests.ts';
import { type AuthRig, OWNER, startAuthRig } from './rig.ts';

let rig: AuthRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});
const start = async (auth: Partial<AuthOptions> = {}) => {
  rig = await startAuthRig(auth);
  return rig;
};

/** The service answers so; the first `good` requests as it should. */
const broken = async (action: FaultAction, good = 0, auth: Partial<AuthOptions> = {}) => {
  const started = await start(auth);
  started.registry.setFaults({
    before: ({ route, ordinal }) => (route === 'token' && ordinal >= good ? action : undefined),
  });
  return started;
};
const respond = (status: number, body = '', headers: Record<string, string> = {}): FaultAction => ({
  kind: 'respond',
  status,
  body,
  headers,
});

describe('a token service', () => {
  it.each([
    [
      'a web page',
      respond(200, '<html>log in, hunter2</html>', { 'content-type': 'text/html' }),
      /sent an answer that is a web page/,
    ],
    ['a web page by its looks', respond(200, ' <!doctype html>hunter2'), /is a web page/],
    ['what is not JSON', respond(200, 'hunter2'), /is not JSON/],
    ['no token', respond(200, '{"errors":["hunter2"]}'), /has no token/],
    ['a token that breaks headers', respond(200, '{"token":"hunter2\\r\\nx: y"}'), /has a malformed token/],
    ['far too much', respond(200, `{"token":"${'hunter2'.repeat(50_000)}"}`), /more than 262144 bytes/],
    ['that it is not there', respond(404, 'hunter2'), /answered 404/],
    [
      'another place',
      respond(307, '', { location: 'http://localhost:1/token' }),
      /send us on to localhost:1, which no credentials/,
    ],
  ])('that answers with %s is named at once, and not quoted', async (_, action, said) => {
    const { registry, client } = await broken(action);
    const error = await getManifest(client({ given: OWNER }), 'CONFIG').catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'TOKEN_SERVICE_FAILED' });
    expect(error.message).toMatch(said);
    expect(error.message).toContain(`the token service ${registry.address}`);
    expect(error.message).toContain(`on ${registry.address}/team/store`);
    for (let at = error; at; at = at.cause) expect(String(at.stack)).not.toContain('hunter2');
    expect(registry.countRequests({ route: 'token' })).toBe(1);
  });

  it.each([
    ['fails', respond(503)],
    ['throttles', respond(429, '', { 'retry-after': '1' })],
    ['breaks off', { kind: 'reset' } as FaultAction],
  ])(
    'that %s is tried again within the policy, then named, and not tried once more by others',
    async (_, action) => {
      const { registry, client } = await broken(action);
      const error = await getManifest(client({ given: OWNER }), 'CONFIG').catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'TOKEN_SERVICE_FAILED' });
      expect(error.message).toMatch(/the token service .* failed: .*; tried: 4 attempts/);
      expect(registry.countRequests({ route: 'token' })).toBe(4);
      expect(registry.countRequests({ route: 'manifest' })).toBe(1);
    },
  );

  it('that comes back in time is no error', async () => {
    const { registry, client } = await start();
    registry.setFaults({
      before: ({ route, ordinal }) => (route === 'token' && ordinal < 2 ? respond(502) : undefined),
    });
    expect(await getManifest(client({ given: OWNER }), 'CONFIG')).toBeUndefined();
    expect(registry.countRequests({ route: 'token' })).toBe(3);
  });

  it('that is away for a moment is not missed while the token lasts', async () => {
    const { registry, client } = await broken(respond(503), 1, { tokens: { tokenLifeMs: 60_000 } });
    const exchange = client({ given: OWNER });
    await getManifest(exchange, 'CONFIG');
    await exchange.clock.sleep(56_000);
    expect(await getManifest(exchange, 'CONFIG')).toBeUndefined();
    expect(registry.tokensIssued()).toBe(1);
  });

  it('that does not answer is given up within its time', async () => {
    const { registry, client } = await broken({ kind: 'stall' });
    await expect(getManifest(client({ given: OWNER, tokenTimeoutMs: 50 }), 'CONFIG')).rejects.toMatchObject({
      code: 'TOKEN_SERVICE_FAILED',
      message: expect.stringMatching(/no answer within 0.05 s; tried: 4 attempts/),
    });
    expect(registry.countRequests({ route: 'token' })).toBe(4);
  });

  it('that does not answer is left at once when its caller is interrupted', async () => {
    const { registry, client } = await broken({ kind: 'stall' });
    const stop = new AbortController();
    const reading = getManifest(client({ given: OWNER }), 'CONFIG', stop.signal);
    const interrupted = expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect.poll(() => registry.countRequests({ route: 'token' })).toBe(1);
    stop.abort();
    await interrupted;
  });

  it('that nobody listens for is named with its address', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const { client } = await start({ challenge: { realm: `http://127.0.0.1:${port}/token` } });
    await expect(getManifest(client({ given: OWNER }), 'CONFIG')).rejects.toMatchObject({
      code: 'TOKEN_SERVICE_FAILED',
      message: expect.stringMatching(new RegExp(`token service 127.0.0.1:${port} failed: cannot connect`)),
    });
  });

  it('may send on within its own host', async () => {
    const { registry, client } = await start();
    registry.setFaults({
      before: ({ route, query, ordinal }) =>
        route === 'token' && ordinal === 0
          ? respond(308, '', { location: `/token?again=1&${query}` })
          : undefined,
    });
    expect(await getManifest(client({ given: OWNER }), 'CONFIG')).toBeUndefined();
    expect(registry.countRequests({ route: 'token' })).toBe(2);
  });

  it('keeps what its URL says already', async () => {
    const { registry, client } = await start();
    const seen: string[] = [];
    const realm = `http://user:pass@localhost:${registry.port}/token?tenant=a%2Fb#part`;
    registry.setFaults({
      before: ({ route, query, headers }) => {
        if (route === 'token') seen.push(`${headers.host} ${query.get('tenant')} ${query.get('account')}`);
        return undefined;
      },
      answer: (_, head) =>
        head.status === 401
          ? { ...head, headers: { ...head.headers, 'www-authenticate': `bearer REALM="${realm}"` } }
          : head,
    });
    expect(await getManifest(client({ given: OWNER }), 'CONFIG')).toBeUndefined();
    expect(seen).toEqual([`localhost:${registry.port} a/b owner`]);
  });
});
