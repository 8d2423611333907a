import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, failure, json, notAllowed } from '../answers.ts';
import type { RequestBody } from '../requestBody.ts';
import { type Account, type Accounts, allows } from './accounts.ts';
import type { ChallengeOptions, TokenServiceOptions } from './options.ts';
import { formatScopes, parseScopes, type Scope } from './scopes.ts';
import type { Tokens } from './tokens.ts';

const MAX_FORM_BYTES = 64 << 10;

/** A request to the token service. */
export interface TokenRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: RequestBody;
}

/** The token service of CNCF distribution: GET by its token specification, POST by its OAuth2 one. */
export class TokenService {
  readonly #accounts: Accounts;
  readonly #tokens: Tokens;
  readonly #options: TokenServiceOptions;
  readonly #renamed: boolean;

  constructor(accounts: Accounts, tokens: Tokens, options: TokenServiceOptions, challenge: ChallengeOptions) {
    this.#accounts = accounts;
    this.#tokens = tokens;
    this.#options = options;
    this.#renamed = challenge.repositoryName !== undefined;
  }

  /** Answers; undefined when the client went away. */
  async serve(request: TokenRequest): Promise<Answer | undefined> {
    if (request.method === 'GET') return this.#get(request);
    if (request.method !== 'POST') return notAllowed('GET, POST');
    const { post = 'oauth2' } = this.#options;
    if (post === 'oauth2') return this.#post(request);
    await request.body.drain();
    return post === 405 ? notAllowed('GET') : failure(post, 'UNSUPPORTED', 'this service knows GET only');
  }

  #get({ query, headers }: TokenRequest): Answer {
    const given = headers.authorization;
    const account = given === undefined ? this.#accounts.anonymous : this.#accounts.byBasic(given);
    if (!account) return refused();
    const offline = query.get('offline_token') === 'true';
    return this.#issue(account, query.getAll('scope').join(' '), offline);
  }

  async #post({ body }: TokenRequest): Promise<Answer | undefined> {
    const bytes = await body.collect(MAX_FORM_BYTES);
    if (bytes === 'cut') return undefined;
    if (bytes === 'too large') return badForm('the form is too large');
    const form = new URLSearchParams(bytes.toString('utf8'));
    if (!form.get('service')) return badForm('service is missing');
    if (!form.get('client_id')) return badForm('client_id is missing');
    const scope = form.get('scope') ?? '';
    const offline = form.get('access_type') === 'offline';
    switch (form.get('grant_type')) {
      case 'password': {
        const account = this.#accounts.byPassword(form.get('username') ?? '', form.get('password') ?? '');
        return account ? this.#issue(account, scope, offline) : refused();
      }
      case 'refresh_token': {
        const token = form.get('refresh_token') ?? '';
        const account = this.#tokens.accountOf(token) ?? this.#accounts.byIdentityToken(token);
        return account ? this.#issue(account, scope, offline) : refused();
      }
      default:
        return badForm('the grant_type is unknown');
    }
  }

  #issue(account: Account, asked: string, offline: boolean): Answer {
    const { tokenLifeMs = 300_000, showsLife = true, field = 'token', form = 'opaque' } = this.#options;
    const everything = asked.trim() === '' && this.#options.withoutScope === 'everything';
    const scopes = everything ? 'everything' : this.#granted(account, parseScopes(asked));
    const token = this.#tokens.issue(account, scopes, tokenLifeMs, form);
    return json(200, {
      ...(field !== 'access_token' && { token }),
      ...(field !== 'token' && { access_token: token }),
      ...(showsLife && { expires_in: Math.max(1, Math.floor(tokenLifeMs / 1000)) }),
      ...(scopes !== 'everything' && scopes.length > 0 && { scope: formatScopes(scopes) }),
      ...(offline && account.name !== '' && { refresh_token: this.#tokens.refreshTokenOf(account) }),
    });
  }

  /** Fewer actions than were asked for are no error: the registry says later what is missing. */
  #granted(account: Account, asked: readonly Scope[]): Scope[] {
    return asked.flatMap((scope) => {
      const actions = scope.actions.filter(
        // Where scopes spell repositories differently, only the guard knows which one is meant.
        (action) => scope.type === 'repository' && (this.#renamed || allows(account, scope.name, action)),
      );
      return actions.length > 0 ? [{ ...scope, actions }] : [];
    });
  }
}

function refused(): Answer {
  return failure(401, 'UNAUTHORIZED', 'the credentials are wrong or missing');
}

function badForm(message: string): Answer {
  return failure(400, 'UNSUPPORTED', message);
}
