import type { X509Certificate } from 'node:crypto';

const TIMEOUT_MS = 3000;
const MAX_CHAIN = 10;

/**
 * The certificates that a TLS server presents, its own first, checked by nobody: Node's errors say that a certificate
 * ran out, and not which one and when. Makes a connection, and is asked only once something is wrong; empty when that
 * fails too.
 */
export async function peerCertificates(
  url: URL,
  servername: string | undefined,
): Promise<readonly X509Certificate[]> {
  const [{ connect }, { isIP }] = await Promise.all([import('node:tls'), import('node:net')]);
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const name = servername ?? (isIP(host) === 0 ? host : undefined);
    const socket = connect({
      host,
      port: Number(url.port || 443),
      rejectUnauthorized: false,
      ...(name !== undefined && { servername: name }),
    });
    const finish = (chain: readonly X509Certificate[]) => {
      socket.destroy();
      resolve(chain);
    };
    socket.setTimeout(TIMEOUT_MS, () => finish([]));
    socket.once('error', () => finish([]));
    socket.once('secureConnect', () => finish(chainOf(socket.getPeerX509Certificate())));
  });
}

function chainOf(leaf: X509Certificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = [];
  // A root names itself as its issuer.
  for (let at = leaf; at && chain.length < MAX_CHAIN; at = at.issuerCertificate) {
    const { fingerprint256 } = at;
    if (chain.some((seen) => seen.fingerprint256 === fingerprint256)) break;
    chain.push(at);
  }
  return chain;
}
