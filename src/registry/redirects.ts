import { KlosetError } from '../errors.ts';
import { discardBody } from './body.ts';
import type { RegistryAnswer, RegistryRequest, Transport } from './transport.ts';
import { checkTarget } from './uploadLocation.ts';

const MAX_REDIRECTS = 5;
/** Those that keep method and body; the others are a matter of reading only. */
const KEEPS_METHOD = new Set([307, 308]);
const FOR_READING = new Set([301, 302, 303, 307, 308]);

/** The end of a chain of redirects. */
export interface Followed {
  readonly answer: RegistryAnswer;
  /** The request that was answered; relative headers of the answer count from its URL. */
  readonly request: RegistryRequest;
  readonly hops: number;
}

/**
 * Sends a request and follows its redirects by hand: each hop is a request of its own, so that what is meant for the
 * registry's origin does not travel on (homeOrigin.ts), and where it leads is looked at first. A redirect that may not be
 * followed with this method is an answer like any other.
 *
 * @throws KlosetError REGISTRY_FOREIGN for more than five, for one that leaves TLS, and for one into a private network
 */
export async function follow(transport: Transport, first: RegistryRequest): Promise<Followed> {
  let request = first;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await transport(request);
    const { location } = answer.headers;
    if (location === undefined || !isFollowed(request, answer.status)) return { answer, request, hops };
    await discardBody(answer);
    const url = checkTarget(parse(location, request.url), request.url);
    if (isOwnTlsSide(request.url, url)) throw movedToTls(request, url);
    request = { ...request, url };
  }
  throw new KlosetError('REGISTRY_FOREIGN', `more than ${MAX_REDIRECTS} redirects`, {
    registry: first.url.host,
    remedy: 'Check host and path of the location, and what stands before the registry.',
  });
}

function isFollowed({ method }: RegistryRequest, status: number): boolean {
  return (method === 'GET' || method === 'HEAD' ? FOR_READING : KEEPS_METHOD).has(status);
}

/** The same resource of the same host, over TLS: a server that wants to be spoken to so from the start. */
function isOwnTlsSide(from: URL, to: URL): boolean {
  const same = from.hostname === to.hostname && from.pathname === to.pathname && from.search === to.search;
  return same && from.protocol === 'http:' && to.protocol === 'https:';
}

function movedToTls(request: RegistryRequest, to: URL): KlosetError {
  return new KlosetError('TLS_MISMATCH', `the registry redirects from plain HTTP to TLS, at ${to.host}`, {
    registry: request.url.host,
    remedy: `Write ${to.host} in the location, and set --use-tls true.`,
  });
}

function parse(location: string, base: URL): URL {
  try {
    return new URL(location, base);
  } catch {
    throw new KlosetError('REGISTRY_FOREIGN', 'a redirect leads to what is no URL', { registry: base.host });
  }
}
