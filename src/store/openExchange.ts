import type { KlosetError } from '../errors.ts';
import { type Clock, systemClock } from '../flow/clock.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '../flow/retry.ts';
import type { GivenCredentials } from '../registry/auth/givenCredentials.ts';
import { credentialsPolicy } from '../registry/auth/policy.ts';
import { composeTransport } from '../registry/compose.ts';
import { CHANNELS } from '../registry/events.ts';
import { type Exchange, makeExchange } from '../registry/exchange.ts';
import type { Reference } from '../registry/reference.ts';
import { RequestCounter } from '../registry/requestStats.ts';
import type { TlsOptions } from '../registry/tls.ts';
import type { RegistryAnswer, RequestKind, Transport } from '../registry/transport.ts';
import { type HttpOptions, httpTransport } from '../registry/undiciTransport.ts';

/** How a registry is talked to. */
export interface ExchangeOptions {
  /**
   * Who to be at the registry. What is not given is looked for in the environment, then in the files and helpers of
   * Docker and Podman, once the registry asks: docs/credentials.md.
   */
  readonly credentials?: GivenCredentials | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly http?: HttpOptions | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly clock?: Clock | undefined;
  /** Sees each answer as it comes from the wire. */
  readonly onAnswer?: ((kind: RequestKind, headers: RegistryAnswer['headers']) => void) | undefined;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
}

/** Requests to one repository, or to a registry as a whole. */
export interface OpenExchange {
  readonly exchange: Exchange;
  readonly counter: RequestCounter;
  /** Ends the connections. */
  close(): Promise<void>;
}

/** Puts a transport together with all its policies. @throws KlosetError USAGE for options that contradict each other */
export function openExchange(reference: Reference, options: ExchangeOptions): OpenExchange {
  const { clock = systemClock, retry: policy = DEFAULT_RETRY_POLICY, credentials: given } = options;
  const counter = new RequestCounter();
  const onRetry = (error: KlosetError, delayMs: number) => {
    counter.countRetry();
    tellRetry(reference.origin, error, delayMs);
    options.onRetry?.(error, delayMs);
  };
  const { origin } = reference;
  const http = httpTransport(options.http, { origin, tls: options.tls });
  const credentials = credentialsPolicy({ reference, given, policy, clock, onRetry });
  const transport = composeTransport(watched(http.send, options.onAnswer), { counter, credentials, origin });
  return {
    exchange: makeExchange(reference, transport, { policy, clock, onRetry }),
    counter,
    close: http.close,
  };
}

function watched(next: Transport, onAnswer: ExchangeOptions['onAnswer']): Transport {
  if (!onAnswer) return next;
  return async (request) => {
    const answer = await next(request);
    onAnswer(request.kind, answer.headers);
    return answer;
  };
}

function tellRetry(origin: string, error: KlosetError, delayMs: number): void {
  if (!CHANNELS.retry.hasSubscribers) return;
  const { code, summary: reason } = error;
  const { status } = error.details;
  CHANNELS.retry.publish({
    host: new URL(origin).host,
    code,
    ...(status !== undefined && { status }),
    reason,
    delayMs,
  });
}
