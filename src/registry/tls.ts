import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { KlosetError } from '../errors.ts';

/** How TLS is spoken. Without any of it: Node's root certificates, those of the system, no client certificate. */
export interface TlsOptions {
  /** Takes any certificate, of the registry and of the hosts that it sends us to. */
  readonly insecureNoVerify?: boolean | undefined;
  /** PEM file of authorities that are trusted in addition. */
  readonly caFile?: string | undefined;
  /** PEM files of the client certificate, with its chain, and of its key: both or none. Shown to the registry alone. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name that the registry's certificate is checked for, and that is sent as SNI, instead of the host's. */
  readonly serverName?: string | undefined;
}

/**
 * Which authorities a connection trusts: `first` is what is at hand, `all` also what the system trusts. Reading the
 * system's costs 100 ms, most registries do without, and so it is done once a certificate was not trusted.
 */
export type Trust = 'first' | 'all';

/** What `tls.connect` is called with. */
export type TlsConnect = Pick<ConnectionOptions, 'secureContext' | 'rejectUnauthorized' | 'servername'>;

const ISSUER_UNKNOWN = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
]);

/** True where trusting more authorities may help. */
export function isIssuerUnknown(code: string): boolean {
  return ISSUER_UNKNOWN.has(code);
}

/**
 * TLS as one registry's user wants it. Files are read with the first connection; contexts are made once, since one
 * with a list of authorities takes 30 ms of processor time, which undici would spend on each connection.
 */
export class TlsSettings {
  readonly #options: TlsOptions;
  readonly #ownOrigin: string | undefined;
  readonly #made = new Map<string, Promise<TlsConnect>>();

  /**
   * @param ownOrigin the registry's; no other origin sees the client certificate or the server name
   * @throws KlosetError USAGE for a certificate without a key, or the reverse
   */
  constructor(options: TlsOptions = {}, ownOrigin?: string) {
    this.#options = options;
    this.#ownOrigin = ownOrigin;
    const { certFile, keyFile, serverName } = options;
    if ((certFile === undefined) !== (keyFile === undefined)) {
      const [given, missing] = certFile
        ? ['tls_cert_file', 'tls_key_file']
        : ['tls_key_file', 'tls_cert_file'];
      throw new KlosetError('USAGE', `option ${given} is set and ${missing} is not`, {
        remedy: 'A client certificate needs both of them.',
      });
    }
    if (serverName !== undefined && isIP(serverName) !== 0) {
      throw new KlosetError('USAGE', `option tls_server_name: ${serverName} is an address, not a name`, {
        remedy: 'Name the host as it stands in the certificate.',
      });
    }
  }

  /** Whether an origin is shown a client certificate. */
  identifies(origin: string): boolean {
    return origin === this.#ownOrigin && this.#options.certFile !== undefined;
  }

  /** The server name for an origin, where it is not the host's own. */
  serverName(origin: string): string | undefined {
    return origin === this.#ownOrigin ? this.#options.serverName : undefined;
  }

  /** @throws KlosetError USAGE for a file that cannot be used */
  connect(origin: string, trust: Trust): Promise<TlsConnect> {
    const own = origin === this.#ownOrigin;
    const key = `${own} ${trust}`;
    let made = this.#made.get(key);
    if (!made) {
      made = this.#make(origin, own, trust);
      this.#made.set(key, made);
      // A file that was put right meanwhile is read again.
      made.catch(() => this.#made.delete(key));
    }
    return made;
  }

  async #make(origin: string, own: boolean, trust: Trust): Promise<TlsConnect> {
    const { insecureNoVerify, caFile, certFile, keyFile } = this.#options;
    const { createSecureContext, getCACertificates } = await import('node:tls');
    const files = () => import('./tlsFiles.ts');
    const extra = caFile === undefined ? [] : await (await files()).readCertificates(caFile, 'tls_ca_file');
    const identity = own && certFile && keyFile ? await (await files()).readIdentity(certFile, keyFile) : {};
    const ca =
      trust === 'all'
        ? [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...extra])]
        : extra;
    const servername = this.serverName(origin);
    return {
      // Without a list, OpenSSL's shared store of Node's own roots serves, which costs nothing.
      secureContext: createSecureContext({ ...identity, ...(ca.length > 0 && { ca }) }),
      ...(insecureNoVerify === true && { rejectUnauthorized: false }),
      ...(servername !== undefined && { servername }),
    };
  }
}
