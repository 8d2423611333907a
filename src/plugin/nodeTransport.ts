import { performServerHandshake, type ServerHttp2Session } from 'node:http2';
import { KlosetError } from '../errors.ts';
import { NodeCall } from './nodeCall.ts';
import { PipeDuplex } from './pipeDuplex.ts';
import {
  type CallHandler,
  type HostConnection,
  type HostPipes,
  INITIAL_WINDOW_BYTES,
  type ServeHost,
} from './transport.ts';

const MAX_CALLS = 256;
/**
 * Node opens this window only as far as streams are read, so that a stream that is held holds its part of it: it must
 * have room for all of them. The window in SETTINGS is that of streams alone.
 */
const CONNECTION_WINDOW_BYTES = MAX_CALLS * INITIAL_WINDOW_BYTES;
/** Node's own bound of 10 MB refuses calls as soon as a few of them are held. */
const SESSION_MEMORY_MB = 2 * (CONNECTION_WINDOW_BYTES / (1024 * 1024));
/** How long the last frames may take to leave when the connection ends. */
const FLUSH_MS = 1000;

/** The same service on `node:http2`: what the own server is compared with, and what replaces it in need. */
export const serveHostOnNode: ServeHost = (pipes, onCall) => new NodeConnection(pipes, onCall);

class NodeConnection implements HostConnection {
  readonly closed: Promise<KlosetError | undefined>;
  readonly #duplex: PipeDuplex;
  readonly #session: ServerHttp2Session;
  readonly #calls = new Set<NodeCall>();

  constructor(pipes: HostPipes, onCall: CallHandler) {
    const { promise, resolve } = Promise.withResolvers<KlosetError | undefined>();
    this.closed = promise;
    let reason: KlosetError | undefined;
    const duplex = new PipeDuplex(pipes);
    this.#duplex = duplex;
    this.#session = performServerHandshake(duplex, {
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { initialWindowSize: INITIAL_WINDOW_BYTES, maxConcurrentStreams: MAX_CALLS },
    });
    this.#session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    this.#session.on('error', (cause: NodeJS.ErrnoException) => {
      // A host that is gone, EPIPE for one, is the normal end.
      if (!cause.code?.startsWith('ERR_HTTP2')) return;
      reason = new KlosetError('CONNECTION_LOST', `the connection to the host broke: ${cause.message}`, {
        cause,
      });
    });
    this.#session.on('stream', (stream, headers) => {
      const call = new NodeCall(stream, headers);
      this.#calls.add(call);
      stream.on('close', () => this.#calls.delete(call));
      call.guard(() => onCall(call));
    });
    duplex.on('error', () => undefined);
    duplex.on('close', () => this.#session.destroy());
    this.#session.on('close', () => {
      for (const call of this.#calls) call.abandon();
      resolve(reason);
    });
  }

  async shutdown(graceMs: number): Promise<void> {
    this.#session.close();
    let timer = setTimeout(() => {
      for (const call of this.#calls) call.cutShort('The plugin was stopped before the call was answered.');
      // A host that does not read would hold the plugin for ever.
      timer = setTimeout(() => this.#duplex.destroy(), FLUSH_MS);
    }, graceMs);
    await this.closed;
    clearTimeout(timer);
  }
}
