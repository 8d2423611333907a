/** HTTP and HTTPS servers of a test that keep what they were asked. */
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The subject of the client's certificate, where it showed one. */
  readonly client: string | undefined;
}

export interface LocalServer {
  readonly port: number;
  readonly seen: Seen[];
  /** Connections that came in, handshakes that failed included. */
  connections(): number;
  close(): Promise<void>;
}

/** Answers with `{}` unless a listener says something else; with TLS where its options are given. */
export async function localServer(tls?: ServerOptions, listener?: RequestListener): Promise<LocalServer> {
  const seen: Seen[] = [];
  let connections = 0;
  const answer: RequestListener = (request, response) => {
    const { method = '', url = '', headers, socket } = request;
    const certificate = (socket as TLSSocket).getPeerCertificate?.();
    seen.push({ method, url, headers, client: certificate?.subject?.CN as string | undefined });
    if (listener) listener(request, response);
    else request.resume().on('end', () => response.end('{}'));
  };
  const server: Server = tls ? (createSecureServer(tls, answer) as unknown as Server) : createServer(answer);
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
