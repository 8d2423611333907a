/** Where a registry may send its clients for tokens. No socket: what must not be sent is seen at the transport. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/flow/clock.ts';
import { credentialsPolicy } from '../../../src/registry/auth/policy.ts';
import { parseReference } from '../../../src/registry/reference.ts';
import type { RegistryAnswer, Transport } from '../../../src/registry/transport.ts';
import { FAST_RETRY } from '../../engine/rig.ts';

function answer(status: number, headers: Record<string, string>, text = ''): RegistryAnswer {
  async function* body() {
    yield Buffer.from(text);
  }
  return { status, headers, body: Object.assign(body(), { cancel: async () => {} }) };
}

/** Reads from a registry that names this realm; returns the hosts that credentials went to. */
async function tryRealm(location: string, realm: string): Promise<string[]> {
  const reference = parseReference(location);
  const told: string[] = [];
  const next: Transport = async ({ url, headers = {} }) => {
    if (headers.authorization) told.push(url.origin);
    if (url.pathname.startsWith('/v2/') && !headers.authorization) {
      return answer(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` });
    }
    return answer(200, {}, '{"token":"t"}');
  };
  const policy = credentialsPolicy({
    reference,
    given: { username: 'me', password: 'secret' },
    policy: FAST_RETRY,
    clock: systemClock,
    environment: {},
  });
  const url = new URL(`${reference.origin}/v2/a/manifests/x`);
  await policy(next)({ kind: 'manifest-read', method: 'GET', url });
  return told;
}

describe('the realm of a challenge', () => {
  it.each([
    ['oci://registry.example.org/a', 'https://auth.example.com/token'],
    ['oci://10.0.0.5/a', 'https://10.0.0.9/token'],
    ['oci://127.0.0.1:5000/a', 'http://10.0.0.9/token'],
    ['oci://registry.example.org/a', '/token'],
  ])('of %s may be %s', async (location, realm) => {
    const { origin } = parseReference(location);
    expect(await tryRealm(location, realm)).toEqual([new URL(realm, origin).origin, origin]);
  });

  it.each([
    ['http://registry.example.org/token', /it would leave TLS/],
    ['http://auth.example.com/token', /it would leave TLS/],
    ['https://127.0.0.1/token', /private address/],
    ['https://localhost/token', /private address/],
    ['https://192.168.1.1/token', /private address/],
    ['https://169.254.169.254/latest/meta-data', /private address/],
    ['https://[::1]/token', /private address/],
    ['https://[fd00::1]/token', /private address/],
    ['file:///etc/passwd', /is not HTTP/],
  ])('of a public registry may not be %s', async (realm, said) => {
    await expect(tryRealm('oci://registry.example.org/a', realm)).rejects.toThrow(said);
  });
});
