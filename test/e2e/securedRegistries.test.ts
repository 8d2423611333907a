/** The registries of the matrix are what they say, asked without any code of ours. */
import { readFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { describe, expect, test } from 'vitest';
import { requirePeers } from '../support/peers.ts';
import {
  ACCOUNTS,
  SECURED_REGISTRIES,
  type SecuredEntry,
  type SecuredName,
  type SecuredRegistry,
} from '../support/securedRegistries.ts';

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

async function ask(
  registry: SecuredRegistry,
  method: string,
  path: string,
  headers: Record<string, string> = {},
) {
  const { tls_ca_file: caFile, tls_cert_file: certFile, tls_key_file: keyFile } = registry.options;
  const secured = caFile !== undefined;
  const read = (path: string | undefined) => (path === undefined ? undefined : readFile(path));
  const [ca, cert, key] = await Promise.all([read(caFile), read(certFile), read(keyFile)]);
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  return new Promise<Answer>((resolve, reject) => {
    const url = `${secured ? 'https' : 'http'}://${registry.address}${path}`;
    const request = (secured ? secureRequest : plainRequest)(url, { method, headers, ...tls }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    request.on('error', reject).end();
  });
}

const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});

async function tokenFor(registry: SecuredRegistry, name: keyof typeof ACCOUNTS, scope: string) {
  const { realm, service } = registry.tokens ?? { realm: '', service: '' };
  const answer = await fetch(`${realm}?service=${service}&scope=${scope}`, {
    headers: basic(name, ACCOUNTS[name].password),
  });
  const { token } = (await answer.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}

for (const name of Object.keys(SECURED_REGISTRIES) as SecuredName[]) {
  const entry: SecuredEntry = SECURED_REGISTRIES[name];
  const needed = requirePeers(entry.peers);
  describe.skipIf(!needed.found)(name, () => {
    test('asks who we are, and lets each do what they may', async () => {
      const registry = await entry.start();
      try {
        const anonymous = await ask(registry, 'GET', '/v2/');
        expect(anonymous.status).toBe(entry.login ? 401 : 200);
        const uploads = '/v2/a/b/blobs/uploads/';
        if (!entry.login) {
          expect((await ask(registry, 'POST', uploads)).status).toBe(202);
          return;
        }
        const challenge = String(anonymous.headers['www-authenticate']);
        expect(challenge).toMatch(registry.tokens ? /^Bearer realm="http/ : /^Basic realm=/i);
        const as = async (who: keyof typeof ACCOUNTS) =>
          registry.tokens
            ? tokenFor(registry, who, 'repository:a/b:pull,push')
            : basic(who, ACCOUNTS[who].password);
        expect((await ask(registry, 'POST', uploads, await as('backup'))).status).toBe(202);
        expect((await ask(registry, 'GET', '/v2/', basic('backup', 'wrong'))).status).toBe(401);
        // Passwords alone know no rights: distribution lets everybody in who has one.
        const reading = name.includes('zot') ? 403 : registry.tokens ? 401 : 202;
        expect((await ask(registry, 'POST', uploads, await as('reader'))).status).toBe(reading);
      } finally {
        await registry.stop();
      }
    });
  });
}

const tokens = requirePeers(['docker-registry', 'registry3']);
describe.skipIf(!tokens.found).each(['docker-registry, tokens', 'distribution 3, tokens'] as const)(
  '%s',
  (name) => {
    test('refuses a token whose life is over', async () => {
      const registry = await SECURED_REGISTRIES[name].start({ tokenLifeSeconds: -1 });
      try {
        const headers = await tokenFor(registry, 'backup', 'repository:a/b:pull');
        expect((await ask(registry, 'GET', '/v2/a/b/tags/list', headers)).status).toBe(401);
      } finally {
        await registry.stop();
      }
    });
  },
);
