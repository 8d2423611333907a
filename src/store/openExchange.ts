import type { KlosetError } from '../errors.ts';
import { type Clock, systemClock } from '../flow/clock.ts';
import type { HostFlow } from '../flow/hostFlow.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '../flow/retry.ts';
import type { GivenCredentials } from '../registry/auth/givenCredentials.ts';
import { credentialsPolicy } from '../registry/auth/policy.ts';
import { composeTransport, type TransportPolicy } from '../registry/compose.ts';
import { CHANNELS } from '../registry/events.ts';
import { type Exchange, makeExchange } from '../registry/exchange.ts';
import { flowPolicy } from '../registry/flowPolicy.ts';
import { HostFlows, sharedHostFlows } from '../registry/hostFlows.ts';
import { type HttpOptions, httpTransport } from '../registry/httpTransport.ts';
import type { RateCap } from '../registry/profiles.ts';
import type { Reference } from '../registry/reference.ts';
import { RequestCounter } from '../registry/requestStats.ts';
import type { TlsOptions } from '../registry/tls.ts';
import type { RegistryAnswer, RequestKind, Transport } from '../registry/transport.ts';

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
  /**
   * How long to go on without any progress while the registry is down or throttles, in milliseconds.
   * @default 900000
   */
  readonly noProgressTimeoutMs?: number | undefined;
  /** Documented limits of the registry, which are kept from the first request on. */
  readonly caps?: readonly RateCap[] | undefined;
  /** Flow control shared with other stores; by default, and without a clock of its own, that of the whole process. */
  readonly flows?: HostFlows | undefined;
  /** False sends requests whatever the registry says: for those who look for its limits. @default true */
  readonly holdsBack?: boolean | undefined;
  readonly clock?: Clock | undefined;
  /** Comes before everything else that a request passes: sees each one that is asked for, repetitions too, and may refuse it. */
  readonly around?: TransportPolicy | undefined;
  /** Sees each answer as it comes from the wire. */
  readonly onAnswer?: ((kind: RequestKind, headers: RegistryAnswer['headers']) => void) | undefined;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
}

/** Requests to one repository, or to a registry as a whole. */
export interface OpenExchange {
  readonly exchange: Exchange;
  readonly counter: RequestCounter;
  /** Flow control of the registry's host, shared with whoever else talks to it. */
  readonly flow: HostFlow;
  /** Ends the connections. */
  close(): Promise<void>;
}

/** Puts a transport together with all its policies. @throws KlosetError USAGE for options that contradict each other */
export function openExchange(reference: Reference, options: ExchangeOptions): OpenExchange {
  const { clock = systemClock, credentials: given } = options;
  const policy = policyOf(options);
  const counter = new RequestCounter();
  const onRetry = (error: KlosetError, delayMs: number) => {
    counter.countRetry();
    tellRetry(reference.origin, error, delayMs);
    options.onRetry?.(error, delayMs);
  };
  const { origin } = reference;
  const http = httpTransport(options.http, { origin, tls: options.tls });
  const credentials = credentialsPolicy({ reference, given, policy, clock, onRetry });
  const flows = options.flows ?? (options.clock ? new HostFlows(options.clock) : sharedHostFlows);
  const host = flows.of(origin);
  if (options.caps) host.document(options.caps);
  const flow = options.holdsBack === false ? undefined : flowPolicy(flows);
  const composed = composeTransport(watched(http.send, options.onAnswer), {
    counter,
    credentials,
    flow,
    origin,
  });
  const transport = options.around?.(composed) ?? composed;
  return {
    exchange: makeExchange(reference, transport, { policy, clock, host, onRetry }),
    counter,
    flow: host,
    close: http.close,
  };
}

function policyOf({ retry = DEFAULT_RETRY_POLICY, noProgressTimeoutMs }: ExchangeOptions): RetryPolicy {
  return noProgressTimeoutMs === undefined ? retry : { ...retry, noProgressMs: noProgressTimeoutMs };
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
