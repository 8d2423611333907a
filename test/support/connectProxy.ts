/** An HTTP proxy of a test: CONNECT tunnels and plain requests in absolute form, whatever their host, to this machine. */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ConnectProxy {
  readonly port: number;
  /** What it was asked, as `CONNECT host:port` or `GET http://host/path`. */
  readonly asked: string[];
  /** `Proxy-Authorization` of each of those. */
  readonly authorizations: (string | undefined)[];
  close(): Promise<void>;
}

export interface ConnectProxyOptions {
  /** What `Proxy-Authorization` has to be; everything else is answered 407. */
  readonly authorization?: string;
  /** Answers every request with this status. */
  readonly refuseWith?: number;
  /** Speaks TLS to its clients. */
  readonly tls?: ServerOptions;
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Duplex>();
  const track = <T extends Duplex>(socket: T): T => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket.on('error', () => socket.destroy());
  };
  /** The status of a refusal. */
  const refusal = ({ method, url, headers }: IncomingMessage): number | undefined => {
    asked.push(`${method} ${url}`);
    authorizations.push(headers['proxy-authorization']);
    if (options.refuseWith !== undefined) return options.refuseWith;
    const wanted = options.authorization;
    return wanted === undefined || headers['proxy-authorization'] === wanted ? undefined : 407;
  };

  const forward = (request: IncomingMessage, response: ServerResponse) => {
    const status = refusal(request);
    if (status !== undefined) {
      request.resume();
      response.writeHead(status, { 'proxy-authenticate': 'Basic realm="proxy"' }).end('refused');
      return;
    }
    const { port, pathname, search } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const target = { host: '127.0.0.1', port: port || 80, path: pathname + search };
    const onward = httpRequest({ ...target, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  };
  const tunnel = (request: IncomingMessage, client: Duplex, head: Buffer) => {
    track(client);
    const status = refusal(request);
    if (status !== undefined) {
      client.end(`HTTP/1.1 ${status} Refused\r\nproxy-authenticate: Basic realm="proxy"\r\n\r\n`);
      return;
    }
    const port = Number(request.url?.split(':').at(-1));
    const upstream: Socket = track(connect(port, '127.0.0.1'));
    upstream.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    upstream.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    upstream.once('close', () => client.destroy());
    client.once('close', () => upstream.destroy());
  };

  const server: Server = options.tls
    ? (createSecureServer(options.tls, forward) as unknown as Server)
    : createServer(forward);
  server.on('connect', tunnel);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    authorizations,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
