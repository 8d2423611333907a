import { KlosetError } from '../errors.ts';
import { isExempt } from './noProxy.ts';
import { isLoopback } from './reference.ts';

/** A proxy that the environment names. */
export interface HttpProxy {
  /** Scheme, host and port, without credentials: safe to show. */
  readonly origin: string;
  /** The value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
  /** The variable that names it. */
  readonly variable: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL: `https_proxy` or `http_proxy` by its scheme, else `all_proxy`; in lower case before upper case;
 * hosts in `no_proxy` and this machine are spoken to directly, as by Go's net/http.
 *
 * @throws KlosetError USAGE for a value that is no proxy; the message names the variable, never its value
 */
export function proxyFor(url: URL, env: Environment): HttpProxy | undefined {
  const variable = variablesFor(url, env).find((name) => env[name]);
  if (variable === undefined || isLoopback(url.hostname)) return undefined;
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (isExempt(url.hostname, port, env.no_proxy || env.NO_PROXY || '')) return undefined;
  return parseProxy(variable, env[variable] ?? '');
}

function variablesFor({ protocol }: URL, env: Environment): string[] {
  const all = ['all_proxy', 'ALL_PROXY'];
  if (protocol === 'https:') return ['https_proxy', 'HTTPS_PROXY', ...all];
  // A CGI program gets its client's header "Proxy" as HTTP_PROXY (httpoxy, CVE-2016-5385).
  return env.REQUEST_METHOD ? ['http_proxy', ...all] : ['http_proxy', 'HTTP_PROXY', ...all];
}

function parseProxy(variable: string, value: string): HttpProxy {
  const fail = (what: string): never => {
    throw new KlosetError('USAGE', `the environment variable ${variable} ${what}`, {
      remedy: 'Write it as http://HOST:PORT, or exempt the registry with NO_PROXY.',
    });
  };
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  } catch {
    return fail('is no URL of a proxy');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return fail(`names a proxy that speaks ${url.protocol.slice(0, -1)}; only http and https are supported`);
  }
  if (url.hostname === '') return fail('names no host');
  return { origin: url.origin, authorization: basicOf(url, fail), variable };
}

function basicOf(url: URL, fail: (what: string) => never): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  try {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
  } catch {
    return fail('has a user name or password with a % that is no escape; write % as %25');
  }
}
