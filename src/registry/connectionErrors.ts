import { type ErrorDetails, isKlosetError, KlosetError } from '../errors.ts';
import type { RegistryRequest } from './transport.ts';

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'CONNECT_TIMEOUT',
]);

const LOST = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNABORTED',
  'UND_ERR_SOCKET',
  'UND_ERR_ABORTED',
]);

/** What went wrong before or in the middle of an answer, as one of our errors. */
export function connectionError(error: unknown, request: RegistryRequest): KlosetError {
  if (isKlosetError(error)) return error;
  const { code, message } = rootOf(error);
  const registry = request.url.host;
  const make = (to: ConstructorParameters<typeof KlosetError>[0], summary: string, more: ErrorDetails = {}) =>
    new KlosetError(to, summary, { registry, cause: error, ...more });

  if (/ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)/.test(`${code} ${message}`)) {
    return tlsMismatch(request);
  }
  if (code.startsWith('HPE_') || code === 'NOT_HTTP') {
    return request.url.protocol === 'http:'
      ? tlsMismatch(request, error)
      : make('REGISTRY_FOREIGN', `the answer is not HTTP (${message})`, { remedy: 'Check host and port.' });
  }
  if (UNREACHABLE.has(code)) {
    return make('REGISTRY_UNREACHABLE', `cannot connect (${message || code})`, {
      remedy: 'Check host and port, and that the registry runs.',
    });
  }
  if (LOST.has(code)) return make('CONNECTION_LOST', `the connection broke (${message || code})`);
  return make('CONNECTION_LOST', `the exchange failed (${message || code || String(error)})`);
}

/** TLS against plain HTTP, or the reverse. */
export function tlsMismatch(request: Pick<RegistryRequest, 'url'>, cause?: unknown): KlosetError {
  const spoke = request.url.protocol === 'https:' ? 'TLS' : 'plain HTTP';
  const other = spoke === 'TLS' ? 'plain HTTP' : 'TLS';
  return new KlosetError('TLS_MISMATCH', `${spoke} was spoken to a port that speaks ${other}`, {
    registry: request.url.host,
    remedy: `Set --use-tls ${spoke === 'TLS' ? 'false' : 'true'}.`,
    cause,
  });
}

/** The registry wants a client certificate and got none. */
export function wantsCertificate(registry: string, cause?: unknown): KlosetError {
  return new KlosetError('TLS_REFUSED', 'the registry wants a client certificate', {
    registry,
    remedy:
      'Name it and its key with the options tls_cert_file and tls_key_file (--tls-cert-file, --tls-key-file).',
    cause,
  });
}

/** The code and the message at the bottom of an error of undici or Node. */
export function rootOf(error: unknown): { code: string; message: string } {
  // A host with several addresses fails with an AggregateError, whose own message is empty.
  const first = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  if (!(first instanceof Error)) return { code: '', message: String(first) };
  // undici (8.13) names the error of its parser and gives it no code.
  const code = (first as NodeJS.ErrnoException).code ?? (first.name === 'HTTPParserError' ? 'NOT_HTTP' : '');
  if (first.cause instanceof Error && (code === '' || code === 'UND_ERR_SOCKET')) {
    const inner = rootOf(first.cause);
    if (inner.code) return inner;
  }
  return { code, message: first.message };
}
