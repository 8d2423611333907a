import type { Clock } from '../../flow/clock.ts';
import type { RetryPolicy } from '../../flow/retry.ts';
import { discardBody } from '../body.ts';
import type { TransportPolicy } from '../compose.ts';
import type { Reference } from '../reference.ts';
import type { Transport } from '../transport.ts';
import type { Authenticator } from './authenticator.ts';
import type { AuthContext } from './bearer.ts';
import type { CredentialSource } from './credentials.ts';
import { type GivenCredentials, givenCredentials } from './givenCredentials.ts';

/** A token service answers within this, in milliseconds, or is asked again. */
const TOKEN_TIMEOUT_MS = 30_000;

/** What authentication needs to know of a store. */
export interface AuthOptions {
  readonly reference: Reference;
  readonly given?: GivenCredentials | undefined;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly onRetry?: AuthContext['onRetry'];
  /** Default: that of the process. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly tokenTimeoutMs?: number | undefined;
  readonly helperTimeoutMs?: number | undefined;
}

/**
 * Credentials for the requests to one registry, and for those only: what is sent elsewhere (storage behind a redirect,
 * an upload session on another host) goes without. Nothing is looked up or sent before the registry asks.
 *
 * @throws KlosetError USAGE for given credentials that contradict themselves
 */
export function credentialsPolicy(options: AuthOptions): TransportPolicy {
  const { reference, environment = process.env } = options;
  const given = givenCredentials(options.given ?? {}, environment);
  const source: CredentialSource = async (target, signal) => {
    if (given) return given();
    const { storedCredentials } = await import('./storedCredentials.ts');
    return storedCredentials(target, { environment, helperTimeoutMs: options.helperTimeoutMs, signal });
  };
  return (next) => {
    let loading: Promise<Authenticator> | undefined;
    let known: Authenticator | undefined;
    let looksHidden = given !== undefined;
    return async (request) => {
      // A ping asks whether there is a registry; 401 is an answer to that.
      if (request.url.origin !== reference.origin || request.kind === 'ping') return next(request);
      if (known) return known.send(request);
      let answer = await next(request);
      if (looksHidden && (answer.status === 403 || answer.status === 404)) {
        // Some registries hide from strangers what there is, and ask for a login at /v2/ alone.
        looksHidden = false;
        const url = new URL('/v2/', reference.origin);
        const door = await next({ kind: 'ping', method: 'GET', url, signal: request.signal });
        if (door.status === 401) {
          await discardBody(answer);
          answer = door;
        } else {
          await discardBody(door);
        }
      }
      if (answer.status !== 401) return answer;
      loading ??= makeAuthenticator(options, source, next);
      known = await loading;
      return known.send(request, answer);
    };
  };
}

async function makeAuthenticator(
  options: AuthOptions,
  source: CredentialSource,
  next: Transport,
): Promise<Authenticator> {
  const { reference, policy, clock, onRetry, tokenTimeoutMs = TOKEN_TIMEOUT_MS } = options;
  const { registry, repository, origin } = reference;
  const { Authenticator } = await import('./authenticator.ts');
  const place = { registry, repository };
  return new Authenticator({ place, origin, next, policy, clock, onRetry, tokenTimeoutMs }, source);
}
