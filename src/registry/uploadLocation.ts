import { KlosetError } from '../errors.ts';
import { isLoopback, isPrivateAddress } from './reference.ts';

/**
 * The URL that a `Location` header means, for the request that it answers. Registries send relative and absolute
 * ones, with the wrong scheme behind a TLS proxy, and with state in the query that must come back untouched.
 *
 * @throws KlosetError REGISTRY_FOREIGN when it is missing, unusable, or points into a private network that the
 *   registry itself is not part of
 */
export function resolveLocation(header: string | undefined, base: URL): URL {
  let url: URL;
  try {
    if (!header) throw new TypeError('no Location header');
    url = new URL(header, base);
  } catch (cause) {
    throw new KlosetError('REGISTRY_FOREIGN', 'the answer carries no usable Location', {
      registry: base.host,
      cause,
    });
  }
  if (url.protocol === 'http:' && base.protocol === 'https:' && url.hostname === base.hostname) {
    // A registry behind a proxy that ends TLS writes the scheme it sees itself.
    url.protocol = 'https:';
    if (base.port && url.port === '') url.port = base.port;
  }
  return checkTarget(url, base);
}

/** Refuses a target that a registry must not send its clients to. */
export function checkTarget(url: URL, base: URL): URL {
  const fail = (reason: string) => {
    throw new KlosetError('REGISTRY_FOREIGN', `refused to follow the registry to ${url.host}: ${reason}`, {
      registry: base.host,
    });
  };
  if (url.protocol !== 'http:' && url.protocol !== 'https:') fail(`${url.protocol} is not HTTP`);
  if (url.protocol === 'http:' && base.protocol === 'https:') fail('it would leave TLS');
  const foreign = url.hostname !== base.hostname;
  const inside = isPrivateAddress(base.hostname) || isLoopback(base.hostname);
  if (foreign && !inside && isPrivateAddress(url.hostname)) fail('it is a private address');
  return url;
}

/** The URL with one more query parameter. The rest of the query stays as it is, byte for byte. */
export function withQuery(url: URL, name: string, value: string): URL {
  const result = new URL(url);
  const pair = `${name}=${encodeURIComponent(value)}`;
  result.search = result.search === '' ? `?${pair}` : `${result.search}&${pair}`;
  return result;
}
