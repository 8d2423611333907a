import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { KlosetError } from '../errors.ts';

export interface TlsIdentity {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

/** The server of a registry, which can go away for a while and come back on the same port. */
export class HttpServer {
  readonly #server: Server;
  readonly #host: string;
  #port = 0;
  #restarting: Promise<void> | undefined;
  #away: AbortController | undefined;
  #closed = false;

  constructor(host: string, tls: TlsIdentity | undefined, listener: RequestListener) {
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

  /** Ends all sockets. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#away?.abort();
    await this.#restarting;
    await this.#stop();
  }

  async #goAndReturn(downMs: number): Promise<void> {
    this.#away = new AbortController();
    const back = pause(downMs, this.#away.signal);
    await this.#stop();
    await back;
    // Someone else may have taken the port; there is nobody to tell, and clients find out.
    if (!this.#closed) await listen(this.#server, this.#host, this.#port).catch(() => {});
  }

  async #stop(): Promise<void> {
    if (!this.#server.listening) return;
    const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await ended;
  }
}

function createHttpServer(tls: TlsIdentity | undefined, listener: RequestListener): Server {
  const options: ServerOptions = {
    noDelay: true,
    keepAlive: true,
    // An upload may take hours; a head of 64 KiB has room for many `tag` parameters.
    requestTimeout: 0,
    headersTimeout: 120_000,
    keepAliveTimeout: 75_000,
    maxHeaderSize: 64 << 10,
  };
  return tls ? createTlsServer({ ...options, ...tls }, listener) : createServer(options, listener);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new KlosetError('USAGE', taken ? 'the port is in use' : `cannot listen: ${messageOf(cause)}`, {
      object: `${host}:${port}`,
      remedy: taken
        ? 'Choose another port, or 0 for any free one.'
        : 'Choose an address of this machine and a port that you may open.',
      cause,
    });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
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
