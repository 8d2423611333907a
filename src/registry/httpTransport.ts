import { cancelled, KlosetError } from '../errors.ts';
import { bodyPieces } from './bodyPieces.ts';
import { connectionError, rootOf } from './connectionErrors.ts';
import type { BegunAnswer } from './httpClient.ts';
import { type NetworkOptions, type Route, Routes } from './routes.ts';
import type { RegistryAnswer, RegistryRequest, Transport } from './transport.ts';
import { Watchdog } from './watchdog.ts';

/** Settings of the HTTP layer. */
export interface HttpOptions {
  /**
   * Nothing sent and nothing received for this long ends a request, in milliseconds. Two minutes: registries that
   * assemble a blob at commit have been seen to stay silent for more than one.
   * @default 120000
   */
  stallTimeoutMs?: number;
  /** @default 10000 */
  connectTimeoutMs?: number;
  /** Upper bound of connections to one origin. @default 128 */
  connections?: number;
}

/** A transport with its connections. */
export interface HttpTransport {
  readonly send: Transport;
  close(): Promise<void>;
}

/** HTTP/1.1, with one pool of connections per origin. @throws KlosetError USAGE for settings of TLS that contradict each other */
export function httpTransport(options: HttpOptions = {}, network: NetworkOptions = {}): HttpTransport {
  const { stallTimeoutMs = 120_000, connectTimeoutMs = 10_000, connections = 128 } = options;
  const routes = new Routes({ connectTimeoutMs, connections }, network);

  /** The answer's head, on the way that the origin's certificate can be trusted on. */
  const exchange = async (
    request: RegistryRequest,
    watchdog: Watchdog,
    signal: AbortSignal,
  ): Promise<BegunAnswer> => {
    const { origin } = request.url;
    let route: Route | undefined = await routes.routeTo(origin);
    for (;;) {
      try {
        return await route.client.request(
          request,
          signal,
          bodyPieces(request, () => watchdog.kick()),
        );
      } catch (error) {
        if (signal.aborted) throw error;
        const { proxy } = route;
        // No byte of the request was sent before the certificate was looked at.
        route = await routes.widen(origin, route, rootOf(error).code);
        if (route) continue;
        const { explained } = await import('./explain.ts');
        throw await explained(error, request, { proxy, tls: routes.tls });
      }
    }
  };

  const send: Transport = async (request) => {
    if (request.signal?.aborted) throw cancelled(request.signal.reason);
    const stop = new AbortController();
    const onAbort = () => stop.abort(cancelled(request.signal?.reason));
    request.signal?.addEventListener('abort', onAbort, { once: true });
    const watchdog = new Watchdog(stallTimeoutMs, () => {
      stop.abort(
        new KlosetError('STALLED', `nothing moved for ${stallTimeoutMs / 1000} s (${request.kind})`, {
          registry: request.url.host,
          remedy: 'Check the network between here and the registry.',
        }),
      );
    });
    const settle = () => {
      watchdog.stop();
      request.signal?.removeEventListener('abort', onAbort);
    };
    try {
      const answer = await exchange(request, watchdog, stop.signal);
      return {
        status: answer.status,
        headers: answer.headers,
        body: watchedBody(answer.body, request, watchdog, stop, settle),
      };
    } catch (error) {
      settle();
      throw connectionError(stop.signal.aborted ? stop.signal.reason : error, request);
    }
  };

  return {
    send,
    close: () => routes.close(),
  };
}

function watchedBody(
  body: BegunAnswer['body'],
  request: RegistryRequest,
  watchdog: Watchdog,
  stop: AbortController,
  settle: () => void,
): RegistryAnswer['body'] {
  async function* chunks() {
    try {
      for await (const chunk of body) {
        watchdog.kick();
        yield chunk as Uint8Array;
        // The time that the consumer took is not the registry's.
        watchdog.kick();
      }
    } catch (error) {
      throw connectionError(stop.signal.aborted ? stop.signal.reason : error, request);
    } finally {
      settle();
      body.destroy();
    }
  }
  const iterator = chunks();
  return Object.assign(iterator, {
    cancel: async () => {
      settle();
      body.destroy();
      await iterator.return(undefined);
    },
  });
}
