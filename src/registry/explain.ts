import { isKlosetError, type KlosetError } from '../errors.ts';
import { connectionError, rootOf } from './connectionErrors.ts';
import { peerCertificates } from './peerCertificate.ts';
import type { HttpProxy } from './proxy.ts';
import { proxyRefusal } from './proxyErrors.ts';
import type { TlsSettings } from './tls.ts';
import { certificateError, isCertificateTrouble, tlsRefusal } from './tlsErrors.ts';
import type { RegistryRequest } from './transport.ts';

/** How a connection was made that failed. */
interface Circumstances {
  readonly proxy: HttpProxy | undefined;
  readonly tls: TlsSettings;
}

/**
 * As {@link connectionError}, for a request that got no answer: with what the proxy said, and with a look at the
 * server's certificate where that is the trouble.
 */
export async function explained(
  error: unknown,
  request: RegistryRequest,
  { proxy, tls }: Circumstances,
): Promise<KlosetError> {
  if (isKlosetError(error)) return error;
  const { code, message } = rootOf(error);
  const { origin, host } = request.url;
  const refusal = proxy && proxyRefusal(proxy, code, message, request);
  if (refusal) return refusal;
  if (!isCertificateTrouble(code)) {
    const text = `${code} ${message}`;
    return tlsRefusal(text, tls.identifies(origin), host, error) ?? connectionError(error, request);
  }
  // Behind a proxy the server cannot be asked again in passing.
  const chain = proxy ? [] : await peerCertificates(request.url, tls.serverName(origin));
  return certificateError(code, message, request, chain, error);
}
