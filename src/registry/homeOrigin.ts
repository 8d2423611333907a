import type { Transport } from './transport.ts';

/** What tells a server who we are. A request for another origin that carries it would hand the account over. */
const PERSONAL = new Set(['authorization', 'cookie']);

/**
 * The last look before the wire: credentials go to the registry's own origin, wherever a redirect or a `Location` leads,
 * whatever a policy above has made of the request. Token services are the exception, which the policy of credentials asks
 * on purpose, after it has looked at where they are.
 */
export function keepingCredentialsHome(next: Transport, origin: string): Transport {
  return (request) => {
    const { headers } = request;
    if (!headers || request.kind === 'token' || request.url.origin === origin) return next(request);
    const kept = Object.entries(headers).filter(([name]) => !PERSONAL.has(name.toLowerCase()));
    return next({ ...request, headers: Object.fromEntries(kept) });
  };
}
