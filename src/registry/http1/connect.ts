import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import type { TlsConnect } from '../tls.ts';
import { closedByPeer } from './closedByPeer.ts';

// As undici does: probes find a peer that vanished without a word.
const KEEP_ALIVE_PROBE_MS = 60_000;

/** How connections to one origin are made. */
export interface ConnectOptions {
  readonly connectTimeoutMs: number;
  /** For https. */
  readonly tls: TlsConnect | undefined;
}

/** Makes connections to one origin, over TLS with the session of the one before. */
export class Connector {
  readonly #url: URL;
  readonly #options: ConnectOptions;
  #session: Buffer | undefined;

  constructor(origin: string, options: ConnectOptions) {
    this.#url = new URL(origin);
    this.#options = options;
  }

  /** A socket that reads as `onread` says. The error is Node's own. */
  async connect(onread: OnReadOpts): Promise<Socket> {
    const { hostname, port, protocol } = this.#url;
    const secure = protocol === 'https:';
    const host = hostname.replace(/^\[|\]$/g, '');
    const place = { host, port: Number(port || (secure ? 443 : 80)), onread };
    const socket = secure ? await this.#connectTls(place) : connectTcp(place);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS);
    return opened(socket, secure ? 'secureConnect' : 'connect', this.#options.connectTimeoutMs);
  }

  async #connectTls(place: { host: string; port: number; onread: OnReadOpts }): Promise<Socket> {
    const { connect } = await import('node:tls');
    const servername = this.#options.tls?.servername ?? (isIP(place.host) === 0 ? place.host : '');
    const session = this.#session && { session: this.#session };
    const socket = connect({
      ...place,
      ALPNProtocols: ['http/1.1'],
      ...this.#options.tls,
      servername,
      ...session,
    });
    socket.on('session', (latest) => {
      this.#session = latest;
    });
    return socket;
  }
}

function opened(socket: Socket, event: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const message = `no connection within ${timeoutMs / 1000} s`;
      socket.destroy(Object.assign(new Error(message), { code: 'CONNECT_TIMEOUT' }));
    }, timeoutMs);
    const settle = () => clearTimeout(timer);
    socket.once(event, () => {
      settle();
      resolve(socket);
    });
    // Also where the first error came behind the handshake: an alert for a missing certificate does, in TLS 1.3.
    socket.once('error', (error) => {
      settle();
      reject(error);
      socket.destroy(error);
    });
    socket.once('close', () => {
      settle();
      reject(closedByPeer());
    });
  });
}
