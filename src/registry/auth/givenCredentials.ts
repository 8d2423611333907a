import { KlosetError } from '../../errors.ts';
import type { Credentials } from './credentials.ts';

/** Credentials that a user gave by options. */
export interface GivenCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A file whose first line is the password. */
  readonly passwordFile?: string | undefined;
  /** An access token that goes to the registry as it is. */
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/**
 * Options and environment, read as far as no file has to be opened. Options win; a password of the environment may
 * belong to a user name of the options, and the reverse.
 *
 * @returns what reads them, which may throw CREDENTIALS_UNUSABLE; undefined where nothing was given
 * @throws KlosetError USAGE for what contradicts itself
 */
export function givenCredentials(
  options: GivenCredentials,
  environment: NodeJS.ProcessEnv,
): (() => Promise<Credentials>) | undefined {
  const inEnvironment: GivenCredentials = {
    username: environment.KLOSET_OCI_USERNAME || undefined,
    password: environment.KLOSET_OCI_PASSWORD || undefined,
    token: environment.KLOSET_OCI_TOKEN || undefined,
  };
  check(options);
  const username = options.username ?? inEnvironment.username;
  for (const [given, from] of [
    [options, 'the options'],
    [inEnvironment, 'the environment'],
  ] as const) {
    if (given.token !== undefined || given.tokenFile !== undefined) {
      return () => readToken(given, from);
    }
    if (given.password !== undefined || given.passwordFile !== undefined) {
      if (username === undefined) throw incomplete('a password without a user name', 'username');
      return () => readPassword(username, given, from);
    }
  }
  if (username !== undefined) throw incomplete('a user name without a password', 'password_file');
  return undefined;
}

async function readToken({ token, tokenFile }: GivenCredentials, from: string): Promise<Credentials> {
  const text = token ?? (await firstLine(tokenFile ?? '', 'token_file'));
  if (/^[\x21-\x7e]+$/.test(text)) return { kind: 'bearer', token: text, from };
  throw new KlosetError('USAGE', 'the token has characters that no token has', {
    remedy: 'Check the option token, the first line of the file, or KLOSET_OCI_TOKEN.',
  });
}

async function readPassword(
  username: string,
  { password, passwordFile }: GivenCredentials,
  from: string,
): Promise<Credentials> {
  const text = password ?? (await firstLine(passwordFile ?? '', 'password_file'));
  return { kind: 'password', username, password: text, from };
}

function check({ username, password, passwordFile, token, tokenFile }: GivenCredentials): void {
  const both = (one: string, other: string): KlosetError =>
    new KlosetError('USAGE', `the options ${one} and ${other} exclude each other`, {
      remedy: 'Set one of them.',
    });
  if (password !== undefined && passwordFile !== undefined) throw both('password', 'password_file');
  if (token !== undefined && tokenFile !== undefined) throw both('token', 'token_file');
  const wantsToken = token !== undefined || tokenFile !== undefined;
  if (wantsToken && (password !== undefined || passwordFile !== undefined)) throw both('token', 'password');
  if (username?.includes(':')) {
    throw new KlosetError('USAGE', 'option username: a user name has no colon');
  }
}

function incomplete(what: string, missing: string): KlosetError {
  const flag = `--${missing.replace('_', '-')}`;
  const variable = missing === 'username' ? 'KLOSET_OCI_USERNAME' : 'KLOSET_OCI_PASSWORD';
  return new KlosetError('USAGE', `${what} was given`, {
    remedy: `Add the option ${missing} (${flag}), or set ${variable}.`,
  });
}

async function firstLine(path: string, option: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new KlosetError('CREDENTIALS_UNUSABLE', `the file of the option ${option} cannot be read`, {
      object: path,
      remedy: 'Check path and permissions.',
      cause,
    });
  }
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line !== '') return line;
  throw new KlosetError('CREDENTIALS_UNUSABLE', `the file of the option ${option} is empty`, {
    object: path,
    remedy: 'Write it into the first line.',
  });
}
