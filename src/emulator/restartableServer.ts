import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeServer, createHttpServer, listen, type TlsKeys } from './httpServer.ts';

/** The server of a registry, which can go away for a while and come back on the same port. */
export class RestartableServer {
  readonly #server: Server;
  readonly #host: string;
  #port = 0;
  #restarting: Promise<void> | undefined;
  #away: AbortController | undefined;
  #closed = false;

  constructor(host: string, tls: TlsKeys | undefined, listener: RequestListener) {
    this.#host = host;
    this.#server = createHttpServer(tls, listener);
  }

  /** Listens; returns the port. */
  async listen(port: number): Promise<number> {
    await listen(this.#server, this.#host, port);
    this.#port = (this.#server.address() as AddressInfo).port;
    return this.#port;
  }

  set maxConnections(most: number | undefined) {
    this.#server.maxConnections = most ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Ends all connections, closes the port and listens again after a time; without a time the port stays open. While it
   * is away, further calls do nothing.
   */
  restart(downMs: number): void {
    if (this.#restarting || this.#closed) return;
    if (downMs === 0) {
      this.#server.closeAllConnections();
      return;
    }
    this.#restarting = this.#goAndReturn(downMs).finally(() => {
      this.#restarting = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#away?.abort();
    await this.#restarting;
    await closeServer(this.#server);
  }

  async #goAndReturn(downMs: number): Promise<void> {
    this.#away = new AbortController();
    const back = pause(downMs, this.#away.signal);
    await closeServer(this.#server);
    await back;
    // Someone else may have taken the port; there is nobody to tell, and clients find out.
    if (!this.#closed) await listen(this.#server, this.#host, this.#port).catch(() => {});
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
