import type { RequestCounter } from './requestStats.ts';
import type { Transport } from './transport.ts';

const USER_AGENT = 'kloset-oci';

/**
 * The order of the policies between an endpoint and the socket, outermost first:
 *
 * 1. retry (exchange.ts) is outside of everything here, so that a sleeping retry holds no slot and each attempt
 *    passes all policies again;
 * 2. credentials and flow control take their place between retry and the counter;
 * 3. the counter is last, since it counts what a registry counts: requests on the wire.
 */
export function composeTransport(http: Transport, counter: RequestCounter): Transport {
  const named: Transport = (request) =>
    http({ ...request, headers: { 'user-agent': USER_AGENT, ...request.headers } });
  return counter.counting(named);
}
