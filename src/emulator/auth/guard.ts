import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, failure } from '../answers.ts';
import type { Target } from '../context.ts';
import { type Account, Accounts, allows } from './accounts.ts';
import type { AuthOptions, GuardedRequest } from './options.ts';
import { formatScopes, neededScopes, type Scope } from './scopes.ts';
import { TokenService } from './tokenService.ts';
import { type IssuedToken, Tokens } from './tokens.ts';

/** Why a request is not served. */
export interface Refusal {
  readonly answer: Answer;
  /** Each is a `WWW-Authenticate` header of its own. */
  readonly challenges: readonly string[];
}

/** Stands before every route of a registry that wants credentials. */
export class Guard {
  readonly tokens: Tokens;
  readonly service: TokenService;
  readonly tokenPath: string;
  readonly #options: AuthOptions;
  readonly #accounts: Accounts;

  constructor(options: AuthOptions) {
    const { tokens = {}, challenge = {}, now = Date.now } = options;
    this.#options = options;
    this.#accounts = new Accounts(options);
    this.tokens = new Tokens(now);
    this.service = new TokenService(this.#accounts, this.tokens, tokens, challenge);
    this.tokenPath = tokens.path ?? '/token';
  }

  /** Judges a request by its head alone, as registries do; undefined lets it pass. */
  check(method: string, target: Target, headers: IncomingHttpHeaders, secure: boolean): Refusal | undefined {
    const request: GuardedRequest = { method, route: target.route, repository: target.repository };
    const needed = neededScopes(request, target.query);
    const { authorization } = headers;
    const refuse = (status: number, error?: string) => {
      const realmBase = `${secure ? 'https' : 'http'}://${headers.host ?? 'localhost'}`;
      return this.#refusal(status, request, needed, realmBase, error);
    };
    const bearer = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (bearer !== undefined && this.#options.scheme !== 'basic') {
      const token = this.tokens.find(bearer);
      if (!token) return refuse(401, 'invalid_token');
      if (this.#covers(token, request, needed)) return undefined;
      const { insufficientScope = 401 } = this.#options.challenge ?? {};
      return insufficientScope === 403 ? denied() : refuse(401, 'insufficient_scope');
    }
    if (this.#options.scheme === 'bearer') return refuse(401);
    const account =
      authorization === undefined ? this.#accounts.anonymous : this.#accounts.byBasic(authorization);
    if (!account) return refuse(401);
    if (needed.every((scope) => mayAll(account, scope))) return undefined;
    // Those without credentials are asked for some: they may be allowed with them.
    return account.name === '' ? refuse(401) : denied();
  }

  #covers(token: IssuedToken, request: GuardedRequest, needed: readonly Scope[]): boolean {
    const { scopes, account } = token;
    const nameInScopes = this.#options.challenge?.repositoryName ?? ((name: string) => name);
    const has = (name: string, action: string) =>
      scopes === 'everything' ||
      scopes.some((scope) => {
        if (scope.name !== name && scope.name !== nameInScopes(name)) return false;
        if (scope.actions.includes(action)) return true;
        return request.route === 'tags' && scope.actions.includes('metadata_read');
      });
    return needed.every(
      (scope) => mayAll(account, scope) && scope.actions.every((action) => has(scope.name, action)),
    );
  }

  #refusal(
    status: number,
    request: GuardedRequest,
    needed: readonly Scope[],
    realmBase: string,
    error: string | undefined,
  ): Refusal {
    const { scheme, challenge = {} } = this.#options;
    const realm = challenge.realm ?? `${realmBase}${this.tokenPath}`;
    const challenges: string[] = [];
    if (scheme !== 'basic') challenges.push(this.#bearerChallenge(realm, request, needed, error));
    if (scheme !== 'bearer') challenges.push('Basic realm="kloset-oci-emulator"');
    const lines = challenge.layout === 'two-headers' ? challenges : [challenges.join(', ')];
    return { answer: failure(status, 'UNAUTHORIZED', 'authentication required'), challenges: lines };
  }

  #bearerChallenge(
    realm: string,
    request: GuardedRequest,
    needed: readonly Scope[],
    error: string | undefined,
  ): string {
    const { challenge = {} } = this.#options;
    const nameInScopes = challenge.repositoryName ?? ((name: string) => name);
    const named = needed.map((scope) => ({ ...scope, name: nameInScopes(scope.name) }));
    const usual = named.length === 0 ? undefined : formatScopes(named);
    const scope = challenge.scope ? challenge.scope(request, usual) : usual;
    const { service = 'kloset-oci-emulator' } = challenge;
    const parameters = [`realm="${realm}"`];
    if (service !== null) parameters.push(`service="${service}"`);
    if (scope !== undefined) parameters.push(`scope="${scope}"`);
    if (error !== undefined) parameters.push(`error="${error}"`);
    return `Bearer ${parameters.join(',')}`;
  }
}

function mayAll(account: Account, scope: Scope): boolean {
  return scope.actions.every((action) => allows(account, scope.name, action));
}

function denied(): Refusal {
  return { answer: failure(403, 'DENIED', 'the account may not do this here'), challenges: [] };
}
