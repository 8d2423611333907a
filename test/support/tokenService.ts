/** A token service for distribution's `auth: token`: signs JWTs that registries 2.8 and 3 take. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomUUID,
  sign,
  X509Certificate,
} from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Issued } from './certificates.ts';

/** Registries take a token for this long after its end: `Leeway` in distribution's registry/auth/token/token.go. */
const LEEWAY_SECONDS = 60;

export interface Account {
  readonly password: string;
  readonly actions: readonly ('pull' | 'push' | 'delete')[];
}

export interface IssuedToken {
  /** `undefined` for nobody in particular. */
  readonly account: string | undefined;
  readonly scopes: readonly string[];
  readonly atMs: number;
}

export interface TokenService {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly issued: IssuedToken[];
  /** Requests with a wrong password. */
  refused(): number;
  close(): Promise<void>;
}

export interface TokenServiceOptions {
  /** Signs the tokens; the registry knows its certificate. */
  readonly signer: Issued;
  readonly accounts: Readonly<Record<string, Account>>;
  /** How long the registry takes a token, and what the answer says about it. @default 300 */
  readonly lifeSeconds?: number;
}

export async function startTokenService(options: TokenServiceOptions): Promise<TokenService> {
  const { signer, accounts, lifeSeconds = 300 } = options;
  const [service, issuer] = ['registry.test', 'tokens.test'];
  const issued: IssuedToken[] = [];
  let refused = 0;
  const header = headerOf(signer);
  const key = createPrivateKey(signer.key);

  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://tokens');
    const reply = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    // What the documentation asks of a service without OAuth2.
    if (request.method !== 'GET') return void reply(404, {});
    const who = basicOf(request);
    const account = who && accounts[who.name];
    if (who && account?.password !== who.password) {
      refused++;
      return void reply(401, { details: 'incorrect username or password' });
    }
    const scopes = searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
    issued.push({ account: who?.name, scopes, atMs: Date.now() });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      sub: who?.name ?? '',
      aud: service,
      // In the past, so that the registry's leeway ends when the life does.
      exp: now + lifeSeconds - LEEWAY_SECONDS,
      nbf: now - 2 * LEEWAY_SECONDS,
      iat: now - 2 * LEEWAY_SECONDS,
      jti: randomUUID(),
      access: scopes.flatMap((scope) => grantOf(scope, account?.actions ?? [])),
    };
    const signed = `${encode(header)}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
    const token = `${signed}.${signature.toString('base64url')}`;
    reply(200, { token, expires_in: lifeSeconds, issued_at: new Date().toISOString() });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    service,
    issuer,
    issued,
    refused: () => refused,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** ES256, with the certificate for registry 3, and the fingerprint of its key as libtrust (registry 2.8) makes it. */
function headerOf({ cert }: Issued): object {
  const certificate = new X509Certificate(cert);
  const der = createPublicKey(cert).export({ type: 'spki', format: 'der' });
  const hash = createHash('sha256').update(der).digest().subarray(0, 30);
  const kid = base32(hash).match(/.{4}/g)?.join(':') ?? '';
  return { typ: 'JWT', alg: 'ES256', kid, x5c: [certificate.raw.toString('base64')] };
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)])
    .join('');
}

/** `repository:NAME:pull,push`, cut down to what the account may do. */
function grantOf(scope: string, allowed: readonly string[]): object[] {
  const [, type, name, actions = ''] = /^([a-z]+):(.+):([^:]*)$/.exec(scope) ?? [];
  if (type !== 'repository') return [];
  const granted = actions.split(',').filter((action) => allowed.includes(action));
  return [{ type, name, actions: granted }];
}

function basicOf({ headers }: IncomingMessage): { name: string; password: string } | undefined {
  const encoded = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
