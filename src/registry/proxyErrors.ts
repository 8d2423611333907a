import { KlosetError } from '../errors.ts';
import type { HttpProxy } from './proxy.ts';
import type { RegistryRequest } from './transport.ts';

const AUTHENTICATE = 407;

/** No connection to the proxy itself. */
export function proxyUnreachable(proxy: HttpProxy, cause: Error): KlosetError {
  const { code } = cause as NodeJS.ErrnoException;
  return new KlosetError('PROXY_FAILED', `cannot connect to ${describe(proxy)} (${cause.message || code})`, {
    remedy: `Check ${proxy.variable}, and that the proxy runs; hosts in NO_PROXY are spoken to directly.`,
    cause,
  });
}

/** What a proxy said instead of making a connection, or `undefined` where the failure is none of the proxy's. */
export function proxyRefusal(
  proxy: HttpProxy,
  code: string,
  message: string,
  request: Pick<RegistryRequest, 'url'>,
): KlosetError | undefined {
  const registry = request.url.host;
  const status = Number(/^Proxy response \((\d{3})\)|\((407)\)$/.exec(message)?.slice(1).find(Boolean));
  if (status === AUTHENTICATE) {
    const what = proxy.authorization === undefined ? 'wants credentials' : 'does not accept the credentials';
    return new KlosetError('PROXY_FAILED', `${describe(proxy)} ${what} (407)`, {
      registry,
      status,
      remedy: `Write them into ${proxy.variable}, as http://USER:PASSWORD@HOST:PORT, special characters as %XX.`,
    });
  }
  if (status >= 500) {
    return new KlosetError('REGISTRY_UNREACHABLE', `${describe(proxy)} could not connect (${status})`, {
      registry,
      remedy: 'Check host and port, and that the registry runs and is reachable from the proxy.',
    });
  }
  if (status > 0) {
    return new KlosetError('PROXY_FAILED', `${describe(proxy)} refuses the connection (${status})`, {
      registry,
      status,
      remedy: 'Ask its operator to allow this host and port, or name the host in NO_PROXY.',
    });
  }
  const remedy = `Check ${proxy.variable}, and that it is an HTTP proxy.`;
  // Both pass by where the proxy was only overloaded, and so are tried again.
  if (code === 'UND_ERR_PRX_CONN') {
    return new KlosetError('CONNECTION_LOST', `${describe(proxy)} broke the connection off`, {
      registry,
      remedy,
    });
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return new KlosetError('STALLED', `${describe(proxy)} made no connection`, { registry, remedy });
  }
  return undefined;
}

function describe(proxy: HttpProxy): string {
  return `the proxy ${proxy.origin} of ${proxy.variable}`;
}
