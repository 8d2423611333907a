import type { Dispatcher } from 'undici';
import { cancelled, KlosetError } from '../errors.ts';
import { connectionError, rootOf } from './connectionErrors.ts';
import { Dispatchers, type NetworkOptions, type Route } from './dispatchers.ts';
import type { RegistryAnswer, RegistryRequest, RequestBody, Transport } from './transport.ts';
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

// Larger writes make the watchdog blind on slow links; smaller ones cost CPU. 512 KiB at 10 KiB/s is below the
// stall time-out, and as fast on loopback as one write of the whole.
const SLICE_BYTES = 512 * 1024;

/** HTTP/1.1 by undici, one pool per origin. @throws KlosetError USAGE for settings of TLS that contradict each other */
export function httpTransport(options: HttpOptions = {}, network: NetworkOptions = {}): HttpTransport {
  const { stallTimeoutMs = 120_000, connectTimeoutMs = 10_000, connections = 128 } = options;
  const dispatchers = new Dispatchers({ connectTimeoutMs, connections }, network);

  /** The answer's head, on the way that the origin's certificate can be trusted on. */
  const exchange = async (request: RegistryRequest, watchdog: Watchdog, signal: AbortSignal) => {
    const { origin } = request.url;
    let route: Route | undefined = await dispatchers.routeTo(origin);
    for (;;) {
      try {
        return await route.dispatcher.request(dispatchOptions(request, watchdog, signal));
      } catch (error) {
        if (signal.aborted) throw error;
        const { proxy } = route;
        // No byte of the request was sent before the certificate was looked at.
        route = await dispatchers.widen(origin, route, rootOf(error).code);
        if (route) continue;
        const { explained } = await import('./explain.ts');
        throw await explained(error, request, { proxy, tls: dispatchers.tls });
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
        status: answer.statusCode,
        headers: flatten(answer.headers),
        body: watchedBody(answer.body, request, watchdog, stop, settle),
      };
    } catch (error) {
      settle();
      throw connectionError(stop.signal.aborted ? stop.signal.reason : error, request);
    }
  };

  return {
    send,
    close: () => dispatchers.close(),
  };
}

function dispatchOptions(request: RegistryRequest, watchdog: Watchdog, signal: AbortSignal) {
  const headers: Record<string, string> = { ...request.headers };
  if (request.body) headers['content-length'] = String(request.body.bytes);
  const options: Dispatcher.RequestOptions = {
    origin: request.url.origin,
    method: request.method,
    path: request.url.pathname + request.url.search,
    headers,
    signal,
  };
  // An empty body goes without an iterable: undici then sends content-length: 0 and no chunked framing.
  if (request.body && request.body.bytes > 0) {
    // undici takes any async iterable, its types ask for a Readable.
    options.body = sliced(request.body, request, watchdog) as unknown as NonNullable<typeof options.body>;
  }
  return options;
}

function sliced(body: RequestBody, request: RegistryRequest, watchdog: Watchdog) {
  // Control comes back once the socket has taken the slice.
  const onTaken = (bytes: number) => {
    watchdog.kick();
    request.onSent?.(bytes);
  };
  const parts = body.slices();
  return Symbol.iterator in parts ? slicedNow(parts, onTaken) : slicedLater(parts, onTaken);
}

function* slicedNow(parts: Iterable<Uint8Array>, onTaken: (bytes: number) => void) {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += SLICE_BYTES) {
      const slice =
        part.length <= SLICE_BYTES ? part : part.subarray(at, Math.min(at + SLICE_BYTES, part.length));
      yield slice;
      onTaken(slice.length);
    }
  }
}

async function* slicedLater(parts: AsyncIterable<Uint8Array>, onTaken: (bytes: number) => void) {
  for await (const part of parts) yield* slicedNow([part], onTaken);
}

function watchedBody(
  body: Dispatcher.ResponseData['body'],
  request: RegistryRequest,
  watchdog: Watchdog,
  stop: AbortController,
  settle: () => void,
): RegistryAnswer['body'] {
  // A body that nobody reads must not bring the process down when its socket breaks later.
  body.on('error', () => {});
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
      if (!body.destroyed) body.destroy();
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

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
