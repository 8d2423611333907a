import { readFile } from 'node:fs/promises';
import { KlosetError } from '../../errors.ts';
import type { Credentials, CredentialTarget } from './credentials.ts';
import { keysFor, normalKey } from './registryKeys.ts';

/** What a Docker or Podman file of credentials holds. */
export interface CredentialsFile {
  readonly path: string;
  /** As it was read, for those who write it back. */
  readonly content: Readonly<Record<string, unknown>>;
  readonly auths: Readonly<Record<string, unknown>>;
  /** Registry → name of a helper program. */
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: string | undefined;
}

/** Reads a file; undefined where there is none. @throws KlosetError CREDENTIALS_UNUSABLE */
export async function readCredentialsFile(path: string): Promise<CredentialsFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unusable(path, `the file of credentials cannot be read (${code ?? 'unknown error'})`);
  }
  // Docker leaves an empty file behind when its disk is full.
  const content = text.trim() === '' ? {} : objectOf(parse(path, text), path, 'the file');
  const { credsStore } = content;
  return {
    path,
    content,
    auths: objectOf(content.auths ?? {}, path, '"auths"'),
    credHelpers: objectOf(content.credHelpers ?? {}, path, '"credHelpers"'),
    credsStore: typeof credsStore === 'string' && credsStore !== '' ? credsStore : undefined,
  };
}

/** The helper program that a file names for a registry: its own one, else the one for all. */
export function helperFor(file: CredentialsFile, target: CredentialTarget): string | undefined {
  const wanted = normalKey(target.registry);
  for (const [key, helper] of Object.entries(file.credHelpers)) {
    if (normalKey(key) === wanted && typeof helper === 'string' && helper !== '') return helper;
  }
  return file.credsStore;
}

/** The entry of `auths` for a target. @throws KlosetError CREDENTIALS_UNUSABLE for one that cannot be read */
export function entryFor(file: CredentialsFile, target: CredentialTarget): Credentials | undefined {
  const byKey = new Map<string, [key: string, entry: unknown]>();
  for (const [key, entry] of Object.entries(file.auths)) {
    const normal = normalKey(key);
    // The plain spelling wins over an old URL for the same host.
    if (!byKey.has(normal) || key === normal) byKey.set(normal, [key, entry]);
  }
  for (const key of keysFor(target)) {
    const found = byKey.get(key);
    const credentials = found && credentialsOf(file.path, ...found);
    if (credentials) return credentials;
  }
  return undefined;
}

function credentialsOf(path: string, key: string, value: unknown): Credentials | undefined {
  const entry = objectOf(value ?? {}, path, `the entry for ${key}`);
  const text = (name: string) => {
    const field = entry[name];
    return typeof field === 'string' && field !== '' ? field : undefined;
  };
  const from = path;
  const [username, password] = pairOf(path, key, text('auth')) ?? [text('username'), text('password')];
  const token = text('registrytoken');
  if (token !== undefined) return { kind: 'bearer', token, from };
  const identity = text('identitytoken');
  if (identity !== undefined) return { kind: 'identity', token: identity, username, from };
  // An empty entry says that a helper has it.
  if (username === undefined || password === undefined) return undefined;
  return { kind: 'password', username, password, from };
}

/** `base64(user:password)`; only the first colon parts them, and Docker for Windows has padded it with NULs. */
function pairOf(path: string, key: string, auth: string | undefined): [string, string] | undefined {
  if (auth === undefined) return undefined;
  let pair = Buffer.from(auth, 'base64').toString('utf8');
  while (pair.endsWith('\0')) pair = pair.slice(0, -1);
  const colon = pair.indexOf(':');
  if (colon < 0) throw unusable(path, `"auth" of the entry for ${key} is not base64 of user:password`);
  return [pair.slice(0, colon), pair.slice(colon + 1)];
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes what it read, which may be a password; only its position is passed on.
    const place = /line \d+ column \d+|position \d+/.exec(error instanceof Error ? error.message : '')?.[0];
    throw unusable(path, `the file of credentials is not JSON${place ? ` (${place})` : ''}`);
  }
}

function objectOf(value: unknown, path: string, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw unusable(path, `${what} is no JSON object`);
}

function unusable(path: string, summary: string): KlosetError {
  return new KlosetError('CREDENTIALS_UNUSABLE', summary, {
    object: path,
    remedy:
      'Mend the file, or give credentials by options or by KLOSET_OCI_USERNAME and KLOSET_OCI_PASSWORD.',
  });
}
