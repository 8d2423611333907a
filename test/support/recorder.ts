/**
 * An HTTP proxy that notes what a client asks of a registry and which upload sessions the registry opened for it.
 * It forwards everything unchanged, with back-pressure, so that a slow network behind it stays slow for the client.
 */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';

export interface Recorder {
  readonly address: string;
  /** Each request as `METHOD /path`, without the query. */
  readonly requests: readonly string[];
  /** The paths of the upload sessions that were opened. */
  readonly sessions: readonly string[];
  /** Resolves when the bodies of the client's requests have reached this many bytes together. */
  sent(bytes: number): Promise<void>;
  close(): Promise<void>;
}

export async function startRecorder(upstream: string): Promise<Recorder> {
  const { hostname, port } = new URL(`http://${upstream}`);
  const agent = new Agent({ keepAlive: true });
  const requests: string[] = [];
  const sessions: string[] = [];
  const waiters: { bytes: number; resolve: () => void }[] = [];
  let total = 0;

  function count(bytes: number): void {
    total += bytes;
    for (const waiter of waiters) if (total >= waiter.bytes) waiter.resolve();
  }

  function forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = incoming;
    requests.push(`${method} ${url.replace(/\?.*/, '')}`);
    const onward = send({ hostname, port, method, path: url, headers, agent }, (answer) => {
      const status = answer.statusCode ?? 502;
      const { location } = answer.headers;
      if (method === 'POST' && status === 202 && location) sessions.push(pathOf(location));
      outgoing.writeHead(status, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) onward.destroy();
    });
    incoming.on('data', (chunk: Buffer) => count(chunk.length));
    incoming.pipe(onward);
  }

  const server = createServer(forward);
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    address: `127.0.0.1:${address.port}`,
    requests,
    sessions,
    sent: (bytes) =>
      new Promise((resolve) => {
        waiters.push({ bytes, resolve });
        count(0);
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

function pathOf(location: string): string {
  const url = new URL(location, 'http://registry');
  return url.pathname + url.search;
}
