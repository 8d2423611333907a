import type { Dispatcher } from 'undici';
import type { BegunAnswer, BodyPieces, HttpClient } from './httpClient.ts';
import type { RegistryRequest } from './transport.ts';

/** Requests by undici: through a proxy, or as the other implementation of HTTP/1.1. */
export function undiciClient(dispatcher: Dispatcher): HttpClient {
  return {
    request: (request, signal, pieces) => send(dispatcher, request, signal, pieces),
    close: () => dispatcher.destroy(),
  };
}

async function send(
  dispatcher: Dispatcher,
  request: RegistryRequest,
  signal: AbortSignal,
  pieces: BodyPieces | undefined,
): Promise<BegunAnswer> {
  const { method, url } = request;
  const headers: Record<string, string> = { ...request.headers };
  if (request.body) headers['content-length'] = String(request.body.bytes);
  const options: Dispatcher.RequestOptions = {
    origin: url.origin,
    method,
    path: url.pathname + url.search,
    headers,
    signal,
  };
  // An empty body goes without an iterable: undici then sends content-length: 0 and no chunked framing. It takes any
  // iterable, its types ask for a Readable.
  if (pieces) options.body = pieces as unknown as NonNullable<typeof options.body>;
  const answer = await dispatcher.request(options);
  // A body that nobody reads must not bring the process down when its socket breaks later.
  answer.body.on('error', () => {});
  return { status: answer.statusCode, headers: flatten(answer.headers), body: answer.body };
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
