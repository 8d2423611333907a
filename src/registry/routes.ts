import { Connections } from './http1/connections.ts';
import type { HttpClient } from './httpClient.ts';
import type { ConnectionLimits } from './poolOptions.ts';
import type { HttpProxy } from './proxy.ts';
import { isIssuerUnknown, type TlsConnect, type TlsOptions, TlsSettings, type Trust } from './tls.ts';

/** The way to an origin. */
export interface Route {
  readonly client: HttpClient;
  readonly proxy: HttpProxy | undefined;
  readonly trust: Trust;
}

/** What surrounds the registry on the network. */
export interface NetworkOptions {
  /** The registry's origin: the client certificate is shown to it and to nobody else. */
  readonly origin?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  /** Where proxies are named. @default process.env */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [
  name,
  name.toUpperCase(),
]);

/** One client per origin, directly or through a proxy, made when it is first asked for. */
export class Routes {
  readonly tls: TlsSettings;
  readonly #limits: ConnectionLimits;
  readonly #env: NodeJS.ProcessEnv;
  readonly #routes = new Map<string, Promise<Route>>();
  readonly #retired: HttpClient[] = [];

  /** @throws KlosetError USAGE */
  constructor(limits: ConnectionLimits, network: NetworkOptions = {}) {
    this.#limits = limits;
    this.#env = network.env ?? process.env;
    this.tls = new TlsSettings(network.tls, network.origin);
  }

  /** @throws KlosetError USAGE for a proxy or a file that cannot be used */
  routeTo(origin: string): Promise<Route> {
    let route = this.#routes.get(origin);
    if (!route) {
      route = this.#open(origin, 'first');
      this.#set(origin, route);
    }
    return route;
  }

  /**
   * After a failure: the way on which the request may succeed, because more authorities are trusted there. None when
   * the failure was another, or nothing is left to try. Requests that fail together get the same new route.
   */
  async widen(origin: string, failed: Route, code: string): Promise<Route | undefined> {
    if (failed.trust === 'all' || !isIssuerUnknown(code)) return undefined;
    const current = await this.routeTo(origin);
    if (current.trust === 'all') return current;
    // Two requests may have waited for the same route above: the first one replaces it.
    const latest = this.#routes.get(origin);
    if (latest && (await latest) !== current) return latest;
    const wider = this.#open(origin, 'all');
    this.#set(origin, wider);
    this.#retired.push(current.client);
    return wider;
  }

  async close(): Promise<void> {
    const routes = await Promise.allSettled(this.#routes.values());
    const open = routes.flatMap((route) => (route.status === 'fulfilled' ? [route.value.client] : []));
    this.#routes.clear();
    await Promise.all([...open, ...this.#retired.splice(0)].map((client) => client.close()));
  }

  #set(origin: string, route: Promise<Route>): void {
    this.#routes.set(origin, route);
    route.catch(() => {
      if (this.#routes.get(origin) === route) this.#routes.delete(origin);
    });
  }

  async #open(origin: string, trust: Trust): Promise<Route> {
    const url = new URL(origin);
    const proxy = await this.#proxyFor(url);
    const tls = url.protocol === 'https:' ? await this.tls.connect(origin, trust) : undefined;
    return { client: await this.#client(origin, proxy, tls), proxy, trust };
  }

  async #client(
    origin: string,
    proxy: HttpProxy | undefined,
    tls: TlsConnect | undefined,
  ): Promise<HttpClient> {
    const { connections, connectTimeoutMs } = this.#limits;
    if (proxy) {
      const { proxyClient } = await import('./proxyClient.ts');
      // A company's proxy has a certificate of the company's authority, which the system knows if anybody does.
      const proxyTls = proxy.origin.startsWith('https:')
        ? await this.tls.connect(proxy.origin, 'all')
        : undefined;
      return proxyClient(proxy, { ...this.#limits, tls, proxyTls });
    }
    if (this.#env.KLOSET_OCI_HTTP === 'undici') {
      const { poolClient } = await import('./poolClient.ts');
      return poolClient(origin, this.#limits, tls);
    }
    return new Connections(origin, connections, { connectTimeoutMs, tls });
  }

  async #proxyFor(url: URL): Promise<HttpProxy | undefined> {
    if (!PROXY_VARIABLES.some((name) => this.#env[name])) return undefined;
    return (await import('./proxy.ts')).proxyFor(url, this.#env);
  }
}
