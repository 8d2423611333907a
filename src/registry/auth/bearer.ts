import { isKlosetError, KlosetError } from '../../errors.ts';
import type { Clock } from '../../flow/clock.ts';
import { type RetryPolicy, withRetry } from '../../flow/retry.ts';
import type { RegistryRequest, Transport } from '../transport.ts';
import { checkTarget } from '../uploadLocation.ts';
import { type AuthPlace, about, credentialsRefused, loginNeeded, rightsMissing } from './authErrors.ts';
import type { Challenge } from './challenges.ts';
import type { Credentials } from './credentials.ts';
import { ScopeSet } from './scopeSet.ts';
import type { GrantedToken } from './tokenAnswer.ts';
import { askForToken, type TokenEndpoint } from './tokenClient.ts';
import { type HeldToken, TokenShelf } from './tokenShelf.ts';
import type { Wallet } from './wallet.ts';

/** What the flows have in common. */
export interface AuthContext {
  readonly place: AuthPlace;
  /** Scheme, host and port of the registry. */
  readonly origin: string;
  readonly next: Transport;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
  readonly tokenTimeoutMs: number;
}

// Smaller bodies are sent before anything ends.
const LONG_BODY_BYTES = 1024 * 1024;

/** Bearer tokens of one repository. */
export class Bearer {
  readonly #context: AuthContext;
  readonly #wallet: Wallet;
  readonly #endpoint: TokenEndpoint;
  readonly #shelf: TokenShelf;
  /** What challenges have asked for, the newest first: the registry spells it as it wants it back. */
  #challenged = ScopeSet.empty;
  /** What requests have needed beyond reading. */
  #used = ScopeSet.empty;
  /** The service has refused to hear of more than what a request needs. */
  #narrow = false;
  /** The refresh token that came last, and the credentials that it came for. */
  #refreshed: { readonly token: string; readonly credentials: Credentials } | undefined;
  /** What the latest challenge asked for. */
  #latest = ScopeSet.empty;

  /** @throws KlosetError REGISTRY_FOREIGN for a realm that a registry must not send its clients to */
  constructor(context: AuthContext, wallet: Wallet, challenge: Challenge) {
    this.#context = context;
    this.#wallet = wallet;
    this.#endpoint = endpointOf(context, challenge);
    this.#shelf = new TokenShelf(() => context.clock.now());
  }

  /** The service that gives the tokens. */
  get service(): string {
    return this.#endpoint.realm.host;
  }

  /** Whether a challenge sends to the same service as the one before. */
  servedBy(challenge: Challenge): boolean {
    const { realm, service } = endpointOf(this.#context, challenge);
    return realm.href === this.#endpoint.realm.href && service === this.#endpoint.service;
  }

  /** A token for a request. @throws KlosetError AUTH_REQUIRED, ACCESS_DENIED, TOKEN_SERVICE_FAILED, CANCELLED */
  tokenFor(request: RegistryRequest): Promise<HeldToken> {
    const needed = this.#needOf(request);
    if (!this.#narrow) this.#used = this.#used.with(needed);
    const longBody = (request.body?.bytes ?? 0) >= LONG_BODY_BYTES;
    const need = { scopes: needed, longBody, signal: request.signal };
    return this.#shelf.get(need, this.#wishes(needed), (scopes, signal) =>
      this.#obtain(scopes, needed, request, signal),
    );
  }

  /** What a refusal of a token teaches. @returns whether asking again for what is wanted could change anything */
  refused(token: HeldToken, challenge: Challenge | undefined): boolean {
    const wanted = ScopeSet.parse(challenge?.parameters.get('scope') ?? '');
    const insufficient = challenge?.parameters.get('error') === 'insufficient_scope';
    const known = token.scopes.covers(wanted) && token.scopes.beginsLike(wanted);
    if (challenge) this.challenged(challenge);
    if (insufficient && known) return false;
    this.#shelf.drop(token);
    return true;
  }

  /** Takes the scope of a challenge in, before all others: some services look at the first one only. */
  challenged(challenge: Challenge): void {
    const scope = challenge.parameters.get('scope');
    if (scope === undefined) return;
    this.#latest = ScopeSet.parse(scope);
    this.#challenged = this.#latest.with(this.#challenged);
  }

  #needOf({ kind, method, url }: RegistryRequest): ScopeSet {
    const { repository } = this.#context.place;
    if (kind === 'login' || repository === '') return ScopeSet.empty;
    const need = ScopeSet.repository(repository, actionsOf(method));
    const from = kind === 'upload-start' ? url.searchParams.get('from') : null;
    return from ? need.with(ScopeSet.repository(from, ['pull'])) : need;
  }

  /**
   * With credentials, also what the store will do next: a token for all of it is one request in place of three. Without
   * any, no more than the request needs: GHCR refuses everybody a token to push.
   */
  #wishes(needed: ScopeSet): ScopeSet {
    if (this.#narrow || !this.#wallet.current) return this.#challenged.with(needed);
    const { repository } = this.#context.place;
    const next = repository === '' ? ScopeSet.empty : ScopeSet.repository(repository, ['pull', 'push']);
    return this.#challenged.with(needed).with(next).with(this.#used);
  }

  async #obtain(
    wishes: ScopeSet,
    needed: ScopeSet,
    request: RegistryRequest,
    signal: AbortSignal,
  ): Promise<GrantedToken & { scopes: ScopeSet }> {
    const { place } = this.#context;
    const { kind } = request;
    const credentials = await this.#wallet.lookUp(signal);
    let scopes = wishes;
    let outcome = await this.#ask(credentials, scopes, signal);
    if ('refused' in outcome && outcome.refused !== 401 && !needed.covers(wishes)) {
      // A service may refuse the whole for a part of it.
      this.#narrow = true;
      // Where the registry has another name for the repository, only the challenge knows it.
      const named = this.#latest.covers(ScopeSet.repository(place.repository, []));
      this.#challenged = named ? ScopeSet.empty : this.#latest;
      scopes = this.#challenged.with(needed);
      outcome = await this.#ask(credentials, scopes, signal);
    }
    if (!('refused' in outcome)) {
      const { refreshToken } = outcome;
      if (refreshToken && credentials) this.#refreshed = { token: refreshToken, credentials };
      return { ...outcome, scopes };
    }
    if (!credentials) throw loginNeeded(place, kind);
    if (await this.#wallet.renew(credentials, signal)) {
      return this.#obtain(wishes, needed, request, signal);
    }
    if (outcome.refused === 403) throw rightsMissing(place, credentials, kind);
    throw credentialsRefused(place, credentials, `the token service ${this.service}`);
  }

  async #ask(credentials: Credentials | undefined, scopes: ScopeSet, signal: AbortSignal) {
    const { next, policy, clock, onRetry, tokenTimeoutMs: timeoutMs } = this.#context;
    const query = {
      endpoint: this.#endpoint,
      scopes,
      credentials: this.#newest(credentials),
      signal,
      timeoutMs,
    };
    try {
      return await withRetry(() => askForToken(next, query), { policy, clock, signal, onRetry });
    } catch (error) {
      throw this.#named(error);
    }
  }

  #newest(credentials: Credentials | undefined): Credentials | undefined {
    if (credentials?.kind !== 'identity' || this.#refreshed?.credentials !== credentials) return credentials;
    return { ...credentials, token: this.#refreshed.token };
  }

  /** Failures of the service as what they are: final, since they were retried here, and not the registry's. */
  #named(error: unknown): unknown {
    if (!isKlosetError(error)) return error;
    if (error.code === 'CANCELLED' || error.code.startsWith('TLS_')) return error;
    const { tried, remedy, cause } = error.details;
    const ours = error.code === 'TOKEN_SERVICE_FAILED';
    return new KlosetError(
      'TOKEN_SERVICE_FAILED',
      ours ? error.summary : `the token service ${this.service} failed: ${error.summary}`,
      {
        ...about(this.#context.place),
        ...(tried !== undefined && { tried }),
        remedy:
          ours && remedy ? remedy : 'Try again later; the registry names it, and no login works without it.',
        cause: cause ?? error,
      },
    );
  }
}

function endpointOf({ origin, place }: AuthContext, challenge: Challenge): TokenEndpoint {
  const base = new URL(origin);
  let realm: URL;
  try {
    realm = new URL(challenge.parameters.get('realm') ?? '', base);
  } catch {
    throw new KlosetError(
      'REGISTRY_FOREIGN',
      'the registry names a token service that is no URL',
      about(place),
    );
  }
  checkTarget(realm, base);
  // Credentials in a URL would be somebody else's, and end up in messages.
  realm.username = '';
  realm.password = '';
  realm.hash = '';
  return { realm, service: challenge.parameters.get('service') };
}

function actionsOf(method: RegistryRequest['method']): readonly string[] {
  if (method === 'GET' || method === 'HEAD') return ['pull'];
  return method === 'DELETE' ? ['delete'] : ['pull', 'push'];
}
