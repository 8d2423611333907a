/** A host on `node:http2` over real pipes: the peer that both transports are tried against. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type SecureClientSessionOptions,
} from 'node:http2';
import { PipeDuplex } from '../../src/plugin/pipeDuplex.ts';
import type { CallHandler, HostConnection, ServeHost } from '../../src/plugin/transport.ts';
import { hostPipes } from './hostPipes.ts';

export interface NodeHost {
  readonly session: ClientHttp2Session;
  readonly connection: HostConnection;
  /** A request, open until its `end`. */
  call(path: string, headers?: Record<string, string>, trailers?: Record<string, string>): ClientHttp2Stream;
  /** Closes the pipes and waits until the plugin has noticed. */
  leave(): Promise<void>;
}

export function nodeHost(
  serve: ServeHost,
  onCall: CallHandler,
  options: SecureClientSessionOptions = {},
): NodeHost {
  const pipes = hostPipes();
  const connection = serve(pipes.plugin, onCall);
  const duplex = new PipeDuplex(pipes.host);
  const session = connect('http://plugin', {
    // What waits in held calls is more than Node's own bound of 10 MB.
    maxSessionMemory: 1024,
    ...options,
    createConnection: () => duplex,
  });
  session.on('error', () => undefined);
  return {
    session,
    connection,
    call(path, headers = {}, trailers) {
      const stream = session.request(
        { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers },
        { endStream: false, waitForTrailers: trailers !== undefined },
      );
      stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}));
      stream.on('error', () => undefined);
      return stream;
    },
    async leave() {
      duplex.destroy();
      await connection.closed;
    },
  };
}

export interface Answer {
  readonly bytes: Buffer;
  /** Headers and trailers of the answer together. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** How the stream was closed; 0 when nothing went wrong. */
  readonly code: number;
}

/** Reads an answer to its end. */
export function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const headers: Record<string, unknown> = {};
    const note = (more: object) => {
      for (const [name, value] of Object.entries(more)) headers[name] = value;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('close', () => resolve({ bytes: Buffer.concat(pieces), headers, code: stream.rstCode ?? -1 }));
  });
}
