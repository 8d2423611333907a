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
  /** The same for the bodies of the answers. */
  received(bytes: number): Promise<void>;
  /** Bytes of the requests' bodies so far. */
  readonly sentBytes: number;
  /** Bytes of the answers' bodies so far. */
  readonly receivedBytes: number;
  close(): Promise<void>;
}

export async function startRecorder(upstream: string): Promise<Recorder> {
  const { hostname, port } = new URL(`http://${upstream}`);
  const agent = new Agent({ keepAlive: true });
  const requests: string[] = [];
  const sessions: string[] = [];
  const up = new Meter();
  const down = new Meter();

  function forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = incoming;
    requests.push(`${method} ${url.replace(/\?.*/, '')}`);
    const onward = send({ hostname, port, method, path: url, headers, agent }, (answer) => {
      const status = answer.statusCode ?? 502;
      const { location } = answer.headers;
      if (method === 'POST' && status === 202 && location) sessions.push(pathOf(location));
      outgoing.writeHead(status, answer.rawHeaders);
      answer.on('data', (chunk: Buffer) => down.count(chunk.length));
      answer.on('error', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) onward.destroy();
    });
    incoming.on('data', (chunk: Buffer) => up.count(chunk.length));
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
    sent: (bytes) => up.reached(bytes),
    received: (bytes) => down.reached(bytes),
    get sentBytes() {
      return up.total;
    },
    get receivedBytes() {
      return down.total;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

/** Counts bytes and tells when there are enough. */
class Meter {
  total = 0;
  readonly #waiters: { bytes: number; resolve: () => void }[] = [];

  count(bytes: number): void {
    this.total += bytes;
    for (const waiter of this.#waiters) if (this.total >= waiter.bytes) waiter.resolve();
  }

  reached(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ bytes, resolve });
      this.count(0);
    });
  }
}

function pathOf(location: string): string {
  const url = new URL(location, 'http://registry');
  return url.pathname + url.search;
}
