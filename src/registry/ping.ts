import { isKlosetError, KlosetError } from '../errors.ts';
import { isHtml } from './answerErrors.ts';
import { readExcerpt } from './body.ts';
import { tlsMismatch } from './connectionErrors.ts';
import { type Exchange, send } from './exchange.ts';

const PROBE_TIMEOUT_MS = 3000;

/**
 * Finds out why talking to a host failed, or that it is an OCI registry after all. Costs requests, so it is asked
 * only once something is wrong.
 *
 * @throws KlosetError REGISTRY_FOREIGN, TLS_MISMATCH, REGISTRY_UNREACHABLE and those of the transport
 */
export async function ping(exchange: Exchange, signal?: AbortSignal): Promise<void> {
  const url = new URL(`${exchange.reference.origin}/v2/`);
  const request = { kind: 'ping', method: 'GET', url, signal } as const;
  try {
    // Whoever asks wants to know how it is now, not to wait until it is well.
    const now = { ...exchange, policy: { ...exchange.policy, noProgressMs: undefined }, host: undefined };
    const answer = await send(now, request, [200, 401]);
    const excerpt = await readExcerpt(answer);
    if (isHtml(answer, excerpt)) {
      throw new KlosetError(
        'REGISTRY_FOREIGN',
        'the host answers /v2/ with a web page, it is no OCI registry',
        {
          registry: exchange.reference.registry,
          remedy: 'Check host and port of the location.',
        },
      );
    }
  } catch (error) {
    if (url.protocol === 'http:' && isKlosetError(error, 'CONNECTION_LOST') && (await speaksTls(url))) {
      throw tlsMismatch(request, error);
    }
    if (isKlosetError(error) && error.details.status === 404) {
      throw new KlosetError('REGISTRY_FOREIGN', 'the host has no /v2/, it is no OCI registry', error.details);
    }
    throw error;
  }
}

/** True when a TLS handshake gets through. A TLS server drops plain HTTP without a word. */
async function speaksTls(url: URL): Promise<boolean> {
  const { connect } = await import('node:tls');
  return new Promise((resolve) => {
    const socket = connect({ host: url.hostname, port: Number(url.port || 80), rejectUnauthorized: false });
    const finish = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => finish(false));
    socket.once('secureConnect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
