import type { Dispatcher, Pool } from 'undici';
import { cancelled, KlosetError } from '../errors.ts';
import { connectionError } from './connectionErrors.ts';
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

/** HTTP/1.1 by undici, one pool per origin. */
export function httpTransport(options: HttpOptions = {}): HttpTransport {
  const { stallTimeoutMs = 120_000, connectTimeoutMs = 10_000, connections = 128 } = options;
  const pools = new Map<string, Promise<Pool>>();

  const poolOf = (origin: string): Promise<Pool> => {
    let pool = pools.get(origin);
    if (!pool) {
      pool = import('undici').then(
        ({ Pool }) =>
          new Pool(origin, {
            connections,
            pipelining: 1,
            // Over TLS undici prefers HTTP/2, which moved bodies at 40 to 80 % of HTTP/1.1's speed and failed with
            // ENHANCE_YOUR_CALM under concurrent uploads.
            allowH2: false,
            connect: { timeout: connectTimeoutMs },
            headersTimeout: 0,
            bodyTimeout: 0,
            keepAliveTimeout: 30_000,
          }),
      );
      pools.set(origin, pool);
    }
    return pool;
  };

  const send: Transport = async (request) => {
    if (request.signal?.aborted) throw cancelled(request.signal.reason);
    const pool = await poolOf(request.url.origin);
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
      const answer = await pool.request(dispatchOptions(request, watchdog, stop.signal));
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
    close: async () => {
      for (const pool of pools.values()) await (await pool).destroy();
      pools.clear();
    },
  };
}

function dispatchOptions(request: RegistryRequest, watchdog: Watchdog, signal: AbortSignal) {
  const headers: Record<string, string> = { ...request.headers };
  if (request.body) headers['content-length'] = String(request.body.bytes);
  const options: Dispatcher.RequestOptions = {
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
