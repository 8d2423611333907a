import { isKlosetError, KlosetError, throwIfAborted } from '../../errors.ts';
import { answerError, isHtml } from '../answerErrors.ts';
import { discardBody, readBody } from '../body.ts';
import type { RegistryAnswer, RegistryRequest, Transport } from '../transport.ts';
import { checkTarget } from '../uploadLocation.ts';
import { basicHeader } from './basic.ts';
import type { Credentials } from './credentials.ts';
import type { ScopeSet } from './scopeSet.ts';
import { type GrantedToken, parseTokenAnswer } from './tokenAnswer.ts';

/** Where tokens come from, by a registry's challenge. */
export interface TokenEndpoint {
  readonly realm: URL;
  readonly service: string | undefined;
}

/** A token, or the status with which the service refused the credentials or the scopes. */
export type TokenOutcome = GrantedToken | { readonly refused: number };

const CLIENT = 'kloset-oci';
// Azure's registry takes a refresh token as the password of this user.
const NULL_USER = '00000000-0000-0000-0000-000000000000';
const MAX_ANSWER_BYTES = 256 * 1024;
const MAX_REDIRECTS = 3;
// What services answer to POST that only know GET: 404 by the specification, 400 Azure, 401 Artifactory, 405 others.
const KNOWS_NO_POST = [400, 401, 404, 405];
const REFUSALS = [400, 401, 403];

/** How a token is asked for. */
export interface TokenQuery {
  readonly endpoint: TokenEndpoint;
  readonly scopes: ScopeSet;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal;
  /** An answer takes at most this long, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Asks a token service once: by GET, or by POST where there is a refresh token.
 *
 * @throws KlosetError what the transport throws, REGISTRY_FAILED and RATE_LIMITED, which may be tried again; and
 *   TOKEN_SERVICE_FAILED for answers that are of no use
 */
export async function askForToken(next: Transport, query: TokenQuery): Promise<TokenOutcome> {
  throwIfAborted(query.signal);
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new KlosetError('STALLED', `no answer within ${query.timeoutMs / 1000} s`)),
    query.timeoutMs,
  );
  const bounded = { ...query, signal: AbortSignal.any([query.signal, limit.signal]) };
  try {
    if (query.credentials?.kind === 'identity') {
      const answer = await next(postRequest(bounded, query.credentials.token));
      if (!KNOWS_NO_POST.includes(answer.status)) return await outcomeOf(answer, query);
      await discardBody(answer);
    }
    return await outcomeOf(await get(next, bounded), query);
  } finally {
    clearTimeout(timer);
  }
}

async function get(next: Transport, query: TokenQuery): Promise<RegistryAnswer> {
  let request = getRequest(query);
  for (let hop = 0; ; hop++) {
    const answer = await next(request);
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status >= 400 || !location || hop === MAX_REDIRECTS) return answer;
    await discardBody(answer);
    const url = checkTarget(new URL(location, request.url), request.url);
    if (url.origin !== request.url.origin) {
      throw failed(query, `wants to send us on to ${url.host}, which no credentials are sent to`);
    }
    request = { ...request, url };
  }
}

function getRequest({ endpoint, scopes, credentials, signal }: TokenQuery): RegistryRequest {
  const url = new URL(endpoint.realm);
  if (endpoint.service !== undefined) url.searchParams.set('service', endpoint.service);
  for (const scope of scopes.list()) url.searchParams.append('scope', scope);
  url.searchParams.set('client_id', CLIENT);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (credentials?.kind === 'password') {
    url.searchParams.set('account', credentials.username);
    headers.authorization = basicHeader(credentials.username, credentials.password);
  } else if (credentials?.kind === 'identity') {
    headers.authorization = basicHeader(credentials.username ?? NULL_USER, credentials.token);
  }
  return { kind: 'token', method: 'GET', url, headers, signal };
}

function postRequest({ endpoint, scopes, signal }: TokenQuery, refreshToken: string): RegistryRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    // The specification wants one in any case.
    service: endpoint.service ?? endpoint.realm.host,
    client_id: CLIENT,
    scope: scopes.toString(),
    refresh_token: refreshToken,
  });
  const bytes = Buffer.from(form.toString());
  return {
    kind: 'token',
    method: 'POST',
    url: endpoint.realm,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: { bytes: bytes.length, slices: () => [bytes] },
    signal,
  };
}

async function outcomeOf(answer: RegistryAnswer, query: TokenQuery): Promise<TokenOutcome> {
  const { status } = answer;
  if (REFUSALS.includes(status)) {
    await discardBody(answer);
    return { refused: status };
  }
  if (status !== 200) {
    const error = await answerError(answer, { kind: 'token', method: 'GET', url: query.endpoint.realm });
    if (error.code === 'RATE_LIMITED' || status >= 500 || status === 408) throw error;
    throw failed(query, `answered ${status}`, status);
  }
  let text: string;
  try {
    text = Buffer.from(await readBody(answer, MAX_ANSWER_BYTES, 'the answer')).toString('utf8');
  } catch (error) {
    if (!isKlosetError(error, 'REGISTRY_FOREIGN')) throw error;
    throw failed(query, `sent an answer of more than ${MAX_ANSWER_BYTES} bytes`);
  }
  const granted = isHtml(answer, text) ? 'is a web page' : parseTokenAnswer(text, Date.now());
  if (typeof granted === 'string') throw failed(query, `sent an answer that ${granted}`);
  return granted;
}

function failed({ endpoint }: TokenQuery, what: string, status?: number): KlosetError {
  return new KlosetError('TOKEN_SERVICE_FAILED', `the token service ${endpoint.realm.host} ${what}`, {
    ...(status !== undefined && { status }),
    remedy:
      'The registry names it: check that no proxy or log-in page answers in its place, and ask its operator.',
  });
}
