import { isKlosetError } from '../errors.ts';
import type { Settlement } from '../flow/concurrencyWindow.ts';
import type { WaitEvent } from '../flow/flowEvents.ts';
import type { HostFlow, Permit, Settled } from '../flow/hostFlow.ts';
import { retryAfterMs } from '../flow/retryAfter.ts';
import { saysRateLimit } from './answerErrors.ts';
import { readExcerpt } from './body.ts';
import type { TransportPolicy } from './compose.ts';
import { CHANNELS } from './events.ts';
import type { HostFlows } from './hostFlows.ts';
import type { RegistryAnswer, RegistryRequest, Transport } from './transport.ts';

/** Bodies up to this are small requests: a lock must not wait behind packfiles. */
const SMALL_BODY_BYTES = 64 * 1024;

/** Flow control for each request that goes out; hostFlow.ts gives the order of what happens to it there. */
export function flowPolicy(flows: HostFlows): TransportPolicy {
  return (next) => (request) => {
    // A redirect leads to another host, which has limits of its own.
    const host = flows.of(request.url.origin);
    const bulk = isBulk(request);
    const permit = host.tryEnter(request.kind, bulk);
    if (permit) return carry(next, request, host, permit);
    const onWait = ({ reason, ms: waitedMs }: WaitEvent) => {
      CHANNELS.wait.publish({ host: request.url.host, kind: request.kind, reason, waitedMs });
    };
    return host
      .enter(request.kind, bulk, request.signal ?? request.queueSignal, { onWait })
      .then((late) => carry(next, request, host, late));
  };
}

function isBulk(request: RegistryRequest): boolean {
  return request.body !== undefined && request.body.bytes > SMALL_BODY_BYTES;
}

async function carry(
  next: Transport,
  request: RegistryRequest,
  host: HostFlow,
  permit: Permit,
): Promise<RegistryAnswer> {
  let answer: RegistryAnswer;
  try {
    answer = await next(request);
  } catch (error) {
    host.settle(permit, { settlement: settlementOf(error), units: 0 });
    throw error;
  }
  const { status } = answer;
  // Everything but these is an answer like any other, whatever it says.
  if (status < 500 && status !== 429 && status !== 403) {
    host.settle(permit, { settlement: 'served', units: permit.bulk ? (request.body?.bytes ?? 1) : 1 });
    return answer;
  }
  const excerpt = await readExcerpt(answer);
  host.settle(permit, judge(answer, excerpt));
  return { ...answer, body: replayed(excerpt) };
}

function judge(answer: RegistryAnswer, excerpt: string): Settled {
  const throttled = answer.status === 429 || saysRateLimit(answer.status, excerpt);
  if (!throttled && answer.status < 500) return { settlement: 'served', units: 1 };
  return {
    settlement: throttled ? 'throttled' : 'failed',
    units: 0,
    retryAfterMs: retryAfterMs(answer.headers['retry-after'], excerpt),
  };
}

function settlementOf(error: unknown): Settlement {
  const lost =
    isKlosetError(error, 'REGISTRY_UNREACHABLE') ||
    isKlosetError(error, 'CONNECTION_LOST') ||
    isKlosetError(error, 'STALLED');
  return lost ? 'lost' : 'neutral';
}

/** What was read of an error's body, for whoever makes a message of it. */
function replayed(excerpt: string): RegistryAnswer['body'] {
  async function* chunks() {
    yield Buffer.from(excerpt);
  }
  return Object.assign(chunks(), { cancel: async () => {} });
}
