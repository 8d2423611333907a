import type { ErrorDetails, KlosetError } from '../errors.ts';
import { Attempts, type AttemptsContext, type SharedHost } from '../flow/attempts.ts';
import { type Clock, systemClock } from '../flow/clock.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy, withRetry } from '../flow/retry.ts';
import { answerError } from './answerErrors.ts';
import { discardBody } from './body.ts';
import { RecentTags } from './recentTags.ts';
import { type Followed, follow } from './redirects.ts';
import { describeReference, type Reference } from './reference.ts';
import type { RegistryAnswer, RegistryRequest, Transport } from './transport.ts';

/** What the endpoint modules share: one repository, one transport, one retry policy. */
export interface Exchange {
  readonly reference: Reference;
  readonly transport: Transport;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  /** How the host fares, as all know who send to it. */
  readonly host?: SharedHost | undefined;
  readonly recentTags: RecentTags;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
}

/** An exchange with defaults filled in. */
export function makeExchange(
  reference: Reference,
  transport: Transport,
  options: Partial<Pick<Exchange, 'policy' | 'clock' | 'host' | 'onRetry'>> = {},
): Exchange {
  const { clock = systemClock } = options;
  const recentTags = new RecentTags(clock);
  return { reference, transport, policy: DEFAULT_RETRY_POLICY, ...options, clock, recentTags };
}

/** The URL of a path below the repository, for example `manifests/CONFIG`. */
export function repositoryUrl(exchange: Exchange, path: string): URL {
  return new URL(`${exchange.reference.origin}/v2/${exchange.reference.repository}/${path}`);
}

/** An answer, and which request it was that was answered. */
type Answered = Pick<Followed, 'answer' | 'request'>;

/** One attempt. Any status but those wanted becomes an error; a redirect is followed, unless it is wanted itself. */
export async function sendOnce(
  exchange: Exchange,
  request: RegistryRequest,
  wanted: readonly number[],
  details: ErrorDetails = {},
): Promise<Answered> {
  const place: ErrorDetails = { registry: describeReference(exchange.reference), ...details };
  const followed = wanted.some((status) => status >= 300 && status < 400)
    ? { answer: await exchange.transport(request), request }
    : await follow(exchange.transport, request);
  if (wanted.includes(followed.answer.status)) return followed;
  throw await answerError(followed.answer, followed.request, place);
}

/**
 * Attempts until the retry policy ends it. For requests that may be repeated without harm, which is all but those
 * of an upload session: what a lost PATCH has done only the upload state machine can find out.
 */
export async function send(
  exchange: Exchange,
  request: RegistryRequest,
  wanted: readonly number[],
  details: ErrorDetails = {},
): Promise<RegistryAnswer> {
  return (await sendFollowed(exchange, request, wanted, details)).answer;
}

/** As {@link send}, for whoever has to know which request it was that was answered. */
export function sendFollowed(
  exchange: Exchange,
  request: RegistryRequest,
  wanted: readonly number[],
  details: ErrorDetails = {},
): Promise<Answered> {
  return repeated(exchange, request, () => sendOnce(exchange, request, wanted, details));
}

/** Attempts at whatever a request is part of, until the retry policy ends them. */
export function repeated<T>(
  exchange: Exchange,
  request: RegistryRequest,
  attempt: () => Promise<T>,
): Promise<T> {
  return withRetry(attempt, contextOf(exchange, request.signal ?? request.queueSignal));
}

/** For operations of several requests, which know better than each of them what is worth another attempt. */
export function attemptsAt(
  exchange: Exchange,
  signal: AbortSignal | undefined,
  onRetry: AttemptsContext['onRetry'] = exchange.onRetry,
): Attempts {
  return new Attempts({ ...contextOf(exchange, signal), onRetry });
}

function contextOf(exchange: Exchange, signal: AbortSignal | undefined): AttemptsContext {
  const { policy, clock, host, onRetry } = exchange;
  return { policy, clock, host, signal, onRetry };
}

/** As {@link send}, where only status and headers matter. */
export async function sendForHead(
  exchange: Exchange,
  request: RegistryRequest,
  wanted: readonly number[],
  details: ErrorDetails = {},
): Promise<RegistryAnswer> {
  const answer = await send(exchange, request, wanted, details);
  await discardBody(answer);
  return answer;
}
