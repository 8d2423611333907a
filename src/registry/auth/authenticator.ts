import type { KlosetError } from '../../errors.ts';
import { discardBody } from '../body.ts';
import type { RegistryAnswer, RegistryRequest } from '../transport.ts';
import {
  credentialsRefused,
  freshTokenRefused,
  loginNeeded,
  rightsMissing,
  schemeUnsupported,
} from './authErrors.ts';
import { basicHeader } from './basic.ts';
import { type AuthContext, Bearer } from './bearer.ts';
import { type Challenge, parseChallenges } from './challenges.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import type { HeldToken } from './tokenShelf.ts';
import { Wallet } from './wallet.ts';

/** What a request carried to prove who sends it. */
type Proof =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic' | 'ready'; readonly header: string; readonly credentials: Credentials }
  | { readonly kind: 'token'; readonly header: string; readonly token: HeldToken; readonly bearer: Bearer };

type Mode =
  | { readonly kind: 'basic' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'bearer'; readonly bearer: Bearer };

// One to learn what is wanted, one for what has run out meanwhile, and one to find out that it is final.
const MAX_ROUNDS = 3;

/** Makes a registry's requests with credentials, from the first 401 on. */
export class Authenticator {
  readonly #context: AuthContext;
  readonly #wallet: Wallet;
  #mode: Mode | undefined;

  constructor(context: AuthContext, source: CredentialSource) {
    this.#context = context;
    this.#wallet = new Wallet(source, context.place, context.clock);
  }

  /**
   * Makes a request; whatever its body, it is replayed when the registry asks for credentials.
   *
   * @param unproven the 401 that the request got without credentials, where it was made already
   * @throws KlosetError AUTH_REQUIRED, ACCESS_DENIED, CREDENTIALS_UNUSABLE, TOKEN_SERVICE_FAILED, and the transport's
   */
  async send(request: RegistryRequest, unproven?: RegistryAnswer): Promise<RegistryAnswer> {
    const { next, clock } = this.#context;
    let firstRefusalMs: number | undefined;
    let refused = unproven;
    for (let round = 1; ; round++) {
      const proof: Proof = refused ? { kind: 'none' } : await this.#proof(request);
      const answer =
        refused ??
        (await next(
          proof.kind === 'none'
            ? request
            : { ...request, headers: { ...request.headers, authorization: proof.header } },
        ));
      refused = undefined;
      if (answer.status === 403 && (await this.#ended(proof, request))) {
        await discardBody(answer);
        continue;
      }
      if (answer.status !== 401) return answer;
      await discardBody(answer);
      const final = await this.#learn(request, answer, proof, firstRefusalMs);
      if (final) throw final;
      if (round === MAX_ROUNDS) throw this.#lastWord(request, proof);
      firstRefusalMs ??= clock.now();
    }
  }

  async #proof(request: RegistryRequest): Promise<Proof> {
    const mode = this.#mode;
    if (!mode) return { kind: 'none' };
    if (mode.kind === 'bearer') {
      const token = await mode.bearer.tokenFor(request);
      return { kind: 'token', header: `Bearer ${token.token}`, token, bearer: mode.bearer };
    }
    const credentials = await this.#wallet.lookUp(request.signal);
    if (mode.kind === 'ready' && credentials?.kind === 'bearer') {
      return { kind: 'ready', header: `Bearer ${credentials.token}`, credentials };
    }
    if (mode.kind === 'basic' && credentials?.kind === 'password') {
      const header = basicHeader(credentials.username, credentials.password);
      return { kind: 'basic', header, credentials };
    }
    return { kind: 'none' };
  }

  /** ECR answers 403, not 401, once a password has ended. */
  async #ended(proof: Proof, { signal }: RegistryRequest): Promise<boolean> {
    if (proof.kind !== 'basic') return false;
    // The answer says more than what may go wrong here.
    return this.#wallet.renew(proof.credentials, signal).catch(() => false);
  }

  /** Draws the conclusions from a 401. @returns the error, where there is nothing more to try */
  async #learn(
    request: RegistryRequest,
    answer: RegistryAnswer,
    proof: Proof,
    firstRefusalMs: number | undefined,
  ): Promise<KlosetError | undefined> {
    const { place } = this.#context;
    const challenges = parseChallenges(answer.headers['www-authenticate'] ?? '');
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'),
    );
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    switch (proof.kind) {
      case 'token': {
        if (bearer && !proof.bearer.servedBy(bearer)) break;
        // A token that was asked for because of a refusal is as good as it gets.
        const fresh = firstRefusalMs !== undefined && proof.token.askedMs >= firstRefusalMs;
        const hopeful = proof.bearer.refused(proof.token, bearer);
        if (hopeful && !fresh) return undefined;
        return this.#denial(request, proof, bearer);
      }
      case 'basic':
      case 'ready':
        if (await this.#wallet.renew(proof.credentials, request.signal)) return undefined;
        return credentialsRefused(place, proof.credentials, 'the registry');
    }
    const credentials = await this.#wallet.lookUp(request.signal);
    if (credentials?.kind === 'bearer' && (bearer || challenges.some(({ scheme }) => scheme === 'bearer'))) {
      this.#mode = { kind: 'ready' };
      return undefined;
    }
    if (bearer) {
      if (this.#mode?.kind !== 'bearer' || !this.#mode.bearer.servedBy(bearer)) {
        this.#mode = { kind: 'bearer', bearer: new Bearer(this.#context, this.#wallet, bearer) };
      }
      this.#mode.bearer.challenged(bearer);
      return undefined;
    }
    if (basic && credentials?.kind === 'password') {
      this.#mode = { kind: 'basic' };
      return undefined;
    }
    if (basic && !credentials) return loginNeeded(place, request.kind);
    return schemeUnsupported(
      place,
      challenges.map(({ scheme }) => scheme),
      credentials,
    );
  }

  #denial(
    request: RegistryRequest,
    proof: Proof & { kind: 'token' },
    bearer: Challenge | undefined,
  ): KlosetError {
    const { place } = this.#context;
    return bearer?.parameters.get('error') === 'invalid_token'
      ? freshTokenRefused(place, proof.bearer.service)
      : rightsMissing(place, this.#wallet.current, request.kind);
  }

  #lastWord(request: RegistryRequest, proof: Proof): KlosetError {
    if (proof.kind === 'token') return this.#denial(request, proof, undefined);
    const credentials = this.#wallet.current;
    const { place } = this.#context;
    return credentials
      ? credentialsRefused(place, credentials, 'the registry')
      : loginNeeded(place, request.kind);
  }
}
