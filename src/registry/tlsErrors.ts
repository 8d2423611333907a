import type { X509Certificate } from 'node:crypto';
import { type ErrorDetails, KlosetError } from '../errors.ts';
import { wantsCertificate } from './connectionErrors.ts';
import { isIssuerUnknown } from './tls.ts';
import type { RegistryRequest } from './transport.ts';

const CERTIFICATE_TROUBLE =
  /^(?:CERT_|CRL_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERROR_IN_CERT|INVALID_(?:CA|PURPOSE)|PATH_LENGTH|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME)/;
// RFC 8446 has an alert of its own for a missing certificate; before TLS 1.3 servers sent these.
const WANTS_CERTIFICATE =
  /ALERT_CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_NO_CERTIFICATE|ALERT_(?:UNKNOWN_CA|CERTIFICATE_(?:EXPIRED|REVOKED|UNKNOWN)|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/;
const NO_COMMON_PROTOCOL =
  /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|WRONG_SSL_VERSION|NO_PROTOCOLS_AVAILABLE|NO_SHARED_CIPHER|ALERT_INSUFFICIENT_SECURITY/;

/** True where the server's certificate is what is wrong. */
export function isCertificateTrouble(code: string): boolean {
  return CERTIFICATE_TROUBLE.test(code);
}

/**
 * What is wrong with the registry's certificate.
 *
 * @param chain what the server presents, its own certificate first; empty where it could not be asked
 */
export function certificateError(
  code: string,
  message: string,
  request: Pick<RegistryRequest, 'url'>,
  chain: readonly X509Certificate[],
  cause?: unknown,
): KlosetError {
  const make = (summary: string, remedy: string) =>
    new KlosetError('TLS_UNTRUSTED', summary, { registry: request.url.host, remedy, cause });
  const [leaf] = chain;
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return dateError(code, chain, make);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    const names = leaf ? namesOf(leaf) : '';
    return make(
      names ? `the certificate is for ${names}, not for this host` : `the certificate is for another host`,
      'Use one of its names in the location, or name it with the option tls_server_name (--tls-server-name).',
    );
  }
  if (code === 'DEPTH_ZERO_SELF_SIGNED_CERT') {
    return make(
      'the certificate is self-signed',
      'If it is the right one, save it to a file and name that with the option tls_ca_file (--tls-ca-file).',
    );
  }
  if (isIssuerUnknown(code)) {
    const issuer = chain.at(-1) && oneLine(chain.at(-1)?.issuer ?? '');
    return make(
      `the certificate was issued by an authority that is not known here${issuer ? ` (${issuer})` : ''}`,
      "Name the file with the authority's certificate with the option tls_ca_file (--tls-ca-file).",
    );
  }
  return make(
    `the certificate is not trusted (${message || code})`,
    'Have a proper certificate issued for the registry.',
  );
}

/** What the server says about us, or does not speak; `undefined` where it is neither. */
export function tlsRefusal(
  text: string,
  hasCertificate: boolean,
  registry: string,
  cause: unknown,
): KlosetError | undefined {
  const make = (summary: string, details: ErrorDetails) =>
    new KlosetError('TLS_REFUSED', summary, { registry, cause, ...details });
  if (WANTS_CERTIFICATE.test(text)) {
    return hasCertificate
      ? make('the registry does not accept the client certificate', {
          remedy:
            'Check that tls_cert_file is of the authority that the registry trusts, and not out of date.',
        })
      : wantsCertificate(registry, cause);
  }
  if (NO_COMMON_PROTOCOL.test(text)) {
    return make('the registry speaks no version or cipher of TLS that is spoken here', {
      remedy: 'It has to offer TLS 1.2 or 1.3.',
    });
  }
  // In TLS 1.2 the alert for a missing certificate is the same as for no common cipher.
  if (/ALERT_HANDSHAKE_FAILURE/.test(text)) {
    return make('the registry broke the TLS handshake off', {
      remedy: hasCertificate
        ? 'Check that it offers TLS 1.2 or 1.3, and that it trusts the authority of tls_cert_file.'
        : 'It may want a client certificate (options tls_cert_file, tls_key_file), or not offer TLS 1.2 or 1.3.',
    });
  }
  return undefined;
}

function dateError(
  code: 'CERT_HAS_EXPIRED' | 'CERT_NOT_YET_VALID',
  chain: readonly X509Certificate[],
  make: (summary: string, remedy: string) => KlosetError,
): KlosetError {
  const now = new Date();
  const expired = code === 'CERT_HAS_EXPIRED';
  const culprit = chain.find(({ validFromDate, validToDate }) =>
    expired ? validToDate < now : validFromDate > now,
  );
  const whose =
    culprit === undefined || culprit === chain[0]
      ? 'the certificate'
      : `the certificate of the authority ${oneLine(culprit.subject)}`;
  const at = culprit && iso(expired ? culprit.validToDate : culprit.validFromDate);
  return make(
    expired
      ? `${whose} has expired${at ? ` on ${at}` : ''}`
      : `${whose} is not valid yet${at ? `, but from ${at} on` : ''}`,
    expired
      ? `It has to be renewed at the registry; the clock here shows ${iso(now)}.`
      : `Check the clock here, which shows ${iso(now)}.`,
  );
}

function iso(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The names of a certificate, as a list of at most five. */
function namesOf(certificate: X509Certificate): string {
  const names = (certificate.subjectAltName ?? '')
    .split(/,\s*/)
    .map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
    .filter(Boolean);
  // Browsers and Node stopped looking at the common name; it still tells a person what the certificate is.
  if (names.length === 0) return oneLine(certificate.subject);
  return oneLine(names.length > 5 ? `${names.slice(0, 5).join(', ')}, …` : names.join(', '));
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a server must not be able to drive the terminal.
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ', ').trim();
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}
