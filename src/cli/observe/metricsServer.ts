import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KlosetError } from '../../errors.ts';
import { collectMetrics } from './metrics.ts';

const HOST = '127.0.0.1';

/** A server of metrics on this machine. */
export interface MetricsServer {
  readonly url: string;
  stop(): void;
}

/**
 * Serves `GET /metrics` until it is stopped, for this machine alone.
 *
 * @param port 0 for any free one
 * @throws KlosetError USAGE where the port cannot be had
 */
export async function serveMetrics(port: number): Promise<MetricsServer> {
  const metrics = collectMetrics();
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics is all there is\n');
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      metrics.stop();
      reject(
        new KlosetError('USAGE', `the port of the metrics cannot be had: ${cause.message}`, {
          object: `${HOST}:${port}`,
          remedy: 'Choose another --metrics-port, or 0 for any free one.',
          cause,
        }),
      );
    });
    server.listen(port, HOST, resolve);
  });
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/metrics`,
    stop: () => {
      metrics.stop();
      server.close();
      server.closeAllConnections();
    },
  };
}
