import { telling } from './events.ts';
import { keepingCredentialsHome } from './homeOrigin.ts';
import type { RequestCounter } from './requestStats.ts';
import type { Transport } from './transport.ts';

const USER_AGENT = 'kloset-oci';

/** A policy: what happens to each request before, around, and after the next layer's part. */
export type TransportPolicy = (next: Transport) => Transport;

/** What stands between an endpoint and the socket. Each is absent where it is not wanted. */
export interface TransportPolicies {
  readonly credentials?: TransportPolicy | undefined;
  readonly flow?: TransportPolicy | undefined;
  readonly counter: RequestCounter;
  /** The registry's: no other origin is sent what the credentials have added. */
  readonly origin: string;
}

/**
 * The order of the policies between an endpoint and the socket, outermost first:
 *
 * 1. retry (exchange.ts) is outside of everything here, so that a sleeping retry holds no slot and each attempt
 *    passes all policies again;
 * 2. credentials come before flow control: a request that waits for a token holds no slot, and the one that a 401
 *    makes necessary again is paid for like any other;
 * 3. flow control sees each request that goes out, and its answer;
 * 4. the counter and the events come next, since they are about what a registry sees: requests on the wire;
 * 5. what takes credentials off requests to other origins is last, so that nothing can be added behind it.
 */
export function composeTransport(http: Transport, policies: TransportPolicies): Transport {
  const named: Transport = (request) =>
    http({ ...request, headers: { 'user-agent': USER_AGENT, ...request.headers } });
  const home = keepingCredentialsHome(named, policies.origin);
  const counted = policies.counter.counting(telling(home));
  const flowing = policies.flow?.(counted) ?? counted;
  return policies.credentials?.(flowing) ?? flowing;
}
