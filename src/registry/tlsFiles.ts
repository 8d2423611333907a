import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { KlosetError } from '../errors.ts';

/** A client certificate with the chain that its file holds, and its key, as PEM. */
export interface ClientIdentity {
  readonly cert: string;
  readonly key: string;
}

// All of Mozilla's roots are a quarter of a megabyte. A device or a disk image that was named by mistake has no end.
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM file, one PEM text each.
 *
 * @param option the option that names the file, for messages
 * @throws KlosetError USAGE when it cannot be read or holds no certificate
 */
export async function readCertificates(path: string, option: string): Promise<string[]> {
  const blocks = [...(await readText(path, option)).matchAll(CERTIFICATE)].map(([block]) => block);
  if (blocks.length === 0) throw notPem(path, option, 'certificate');
  for (const block of blocks) certificateOf(block, path, option);
  return blocks;
}

/**
 * A client certificate and the key that belongs to it.
 *
 * @throws KlosetError USAGE when one of them cannot be read or used, or when they are no pair
 */
export async function readIdentity(certFile: string, keyFile: string): Promise<ClientIdentity> {
  const chain = await readCertificates(certFile, 'tls_cert_file');
  const key = await readText(keyFile, 'tls_key_file');
  const leaf = certificateOf(chain[0] ?? '', certFile, 'tls_cert_file');
  if (!leaf.checkPrivateKey(privateKeyOf(key, keyFile))) {
    throw invalid('tls_key_file', `the key in ${keyFile} does not belong to the certificate in ${certFile}`, {
      remedy: 'Name the two files that were made together.',
    });
  }
  return { cert: chain.join('\n'), key };
}

function certificateOf(pem: string, path: string, option: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw invalid(option, `${path} holds a certificate that cannot be parsed`, { cause });
  }
}

function privateKeyOf(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    if (/ENCRYPTED/.test(pem)) {
      throw invalid('tls_key_file', `the key in ${path} is protected by a passphrase`, {
        remedy: `Take the passphrase off (openssl pkey -in ${path} -out NEW), in a file that only you can read.`,
      });
    }
    // The cause would show parts of the file.
    throw notPem(path, 'tls_key_file', 'private key');
  }
}

async function readText(path: string, option: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw invalid(option, `${path} is no file`);
    if (found.size > MAX_FILE_BYTES) throw invalid(option, `${path} is larger than ${MAX_FILE_BYTES} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof KlosetError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw invalid(option, `${path} does not exist`);
    throw invalid(option, `${path} cannot be read (${code})`, { cause: error });
  }
}

function notPem(path: string, option: string, what: string): KlosetError {
  return invalid(option, `${path} holds no ${what} in PEM format`, {
    remedy: `A PEM file is text with a line "-----BEGIN ${what.toUpperCase()}-----".`,
  });
}

function invalid(
  option: string,
  summary: string,
  details: { remedy?: string; cause?: unknown } = {},
): KlosetError {
  return new KlosetError('USAGE', `option ${option}: ${summary}`, details);
}
