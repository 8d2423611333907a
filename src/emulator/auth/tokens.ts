import { randomBytes } from 'node:crypto';
import type { Account } from './accounts.ts';
import type { Scope } from './scopes.ts';

/** What a token is good for. */
export interface IssuedToken {
  readonly account: Account;
  /** `everything`: whatever the account may do. */
  readonly scopes: readonly Scope[] | 'everything';
  readonly endsMs: number;
}

/** Access and refresh tokens that were given out. */
export class Tokens {
  issued = 0;
  readonly #access = new Map<string, IssuedToken>();
  readonly #refresh = new Map<string, Account>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  issue(account: Account, scopes: IssuedToken['scopes'], lifeMs: number, form: 'opaque' | 'jwt'): string {
    this.issued++;
    const endsMs = this.#now() + lifeMs;
    const token = form === 'jwt' ? jwtOf(endsMs) : randomBytes(24).toString('base64url');
    for (const [old, { endsMs }] of this.#access) {
      if (endsMs > this.#now()) break;
      this.#access.delete(old);
    }
    this.#access.set(token, { account, scopes, endsMs });
    return token;
  }

  /** The account's refresh token, the same one each time. */
  refreshTokenOf(account: Account): string {
    for (const [token, holder] of this.#refresh) if (holder.name === account.name) return token;
    const token = randomBytes(24).toString('base64url');
    this.#refresh.set(token, account);
    return token;
  }

  accountOf(refreshToken: string): Account | undefined {
    return this.#refresh.get(refreshToken);
  }

  /** What the token is good for; undefined once its life is over. */
  find(token: string): IssuedToken | undefined {
    const found = this.#access.get(token);
    return found && found.endsMs > this.#now() ? found : undefined;
  }

  revokeAll(): void {
    this.#access.clear();
    this.#refresh.clear();
  }
}

// The signature is none: this server keeps what it has issued, and clients cannot check one anyway.
function jwtOf(endsMs: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { exp: Math.floor(endsMs / 1000), jti: randomBytes(12).toString('base64url') };
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.${randomBytes(16).toString('base64url')}`;
}
