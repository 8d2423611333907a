import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { KlosetError } from '../errors.ts';

/** Key and certificate in PEM. */
export interface TlsKeys {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

export function createHttpServer(tls: TlsKeys | undefined, listener: RequestListener): Server {
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

export async function listen(server: Server, host: string, port: number): Promise<void> {
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

/** Ends all sockets. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await ended;
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
