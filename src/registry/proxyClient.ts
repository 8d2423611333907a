import { type buildConnector, Pool, ProxyAgent } from 'undici';
import type { HttpClient } from './httpClient.ts';
import { type ConnectionLimits, POOL_OPTIONS } from './poolOptions.ts';
import type { HttpProxy } from './proxy.ts';
import { proxyUnreachable } from './proxyErrors.ts';
import type { TlsConnect } from './tls.ts';
import { endingOnFirstError } from './tlsConnector.ts';
import { undiciClient } from './undiciClient.ts';

/** How long a proxy may take to make a connection, in milliseconds: it has to resolve the name and connect itself. */
const TUNNEL_TIMEOUT_MS = 30_000;

interface ProxyConnection extends ConnectionLimits {
  readonly tls: TlsConnect | undefined;
  readonly proxyTls: TlsConnect | undefined;
}

/**
 * Requests through a proxy: CONNECT for https, the absolute form of the request for plain http, which is what
 * proxies allow for ports other than 443. Loaded only where there is a proxy: half of undici comes with it.
 */
export function proxyClient(proxy: HttpProxy, connection: ProxyConnection): HttpClient {
  const { connections, connectTimeoutMs: timeout, tls, proxyTls } = connection;
  const agent = new ProxyAgent({
    uri: proxy.origin,
    ...(proxy.authorization !== undefined && { token: proxy.authorization }),
    requestTls: { timeout, ...tls },
    proxyTls: { timeout, ...proxyTls },
    // The connections that become tunnels.
    clientFactory: (url, options) =>
      new Pool(url, { ...naming(proxy, options), headersTimeout: TUNNEL_TIMEOUT_MS, allowH2: false }),
    // Those that requests go over: in tunnels, or to the proxy itself.
    factory: (origin, options) =>
      new Pool(origin, {
        ...(String(origin).startsWith(proxy.origin) ? naming(proxy, options) : tunnelled(options)),
        ...POOL_OPTIONS,
        connections,
      }),
  });
  return undiciClient(agent);
}

function tunnelled(options: object): Pool.Options {
  const { connect, ...rest } = options as { connect?: buildConnector.connector };
  return typeof connect === 'function' ? { ...rest, connect: endingOnFirstError(connect) } : options;
}

/** The pool's options with a connector whose failures say that it was the proxy that could not be reached. */
function naming(proxy: HttpProxy, options: object): Pool.Options {
  const { connect, ...rest } = options as { connect?: buildConnector.connector };
  if (typeof connect !== 'function') return options;
  return {
    ...rest,
    connect: (target, callback) =>
      connect(target, (...[error, socket]: Parameters<buildConnector.Callback>) => {
        if (error) callback(proxyUnreachable(proxy, error), null);
        else callback(null, socket as NonNullable<typeof socket>);
      }),
  };
}
