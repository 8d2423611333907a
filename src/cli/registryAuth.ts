import { type Command, Option } from 'commander';
import type { AuthOptions, AuthUser, Right } from '../emulator/index.ts';
import { KlosetError } from '../errors.ts';
import { parseDuration } from './values.ts';

/** The flags with which the embedded registry asks for credentials. */
export interface RegistryAuthFlags {
  auth?: AuthOptions['scheme'];
  usersFile?: string;
  tokenLife?: number;
  anonymousPull?: boolean;
}

const ACTIONS: readonly string[] = ['pull', 'push', 'delete'] satisfies Right['actions'][number][];

/** Adds the flags of {@link RegistryAuthFlags}. */
export function withRegistryAuthFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--auth <scheme>', 'ask for credentials').choices(['basic', 'bearer', 'both'] as const),
    )
    .option(
      '--users-file <file>',
      'who may log in: lines NAME:PASSWORD, or NAME:PASSWORD ACTION,…@PATTERN … (actions pull, push, delete; * in a pattern)',
    )
    .option('--token-life <time>', 'how long a token of --auth bearer is good for', parseDuration)
    .option('--anonymous-pull', 'let everybody read');
}

/** The accounts of the flags. */
export interface RegistryAccounts {
  users: Record<string, AuthUser>;
  anonymous?: readonly Right[];
  tokenLifeMs?: number;
}

/**
 * What the flags mean; undefined where no credentials are asked for.
 *
 * @throws KlosetError USAGE
 */
export async function registryAuth(flags: RegistryAuthFlags): Promise<AuthOptions | undefined> {
  const { auth: scheme, usersFile, tokenLife, anonymousPull } = flags;
  if (scheme === undefined) {
    if (usersFile === undefined && tokenLife === undefined && !anonymousPull) return undefined;
    throw new KlosetError(
      'USAGE',
      '--users-file, --token-life and --anonymous-pull need --auth or --profile',
    );
  }
  const accounts = usersFile === undefined ? undefined : await registryAccounts(flags);
  if (!accounts) {
    throw new KlosetError('USAGE', '--auth needs --users-file', {
      remedy: 'Write lines of NAME:PASSWORD into a file and name it.',
    });
  }
  const { tokenLifeMs, ...rest } = accounts;
  return { scheme, ...rest, ...(tokenLifeMs !== undefined && { tokens: { tokenLifeMs } }) };
}

/**
 * The accounts alone; undefined without a file of users.
 *
 * @throws KlosetError USAGE
 */
export async function registryAccounts(flags: RegistryAuthFlags): Promise<RegistryAccounts | undefined> {
  const { usersFile, tokenLife, anonymousPull } = flags;
  if (usersFile === undefined) {
    if (tokenLife === undefined && !anonymousPull) return undefined;
    throw new KlosetError('USAGE', '--token-life and --anonymous-pull need --users-file');
  }
  return {
    users: await readUsers(usersFile),
    ...(anonymousPull && { anonymous: [{ repositories: '*', actions: ['pull'] }] }),
    ...(tokenLife !== undefined && { tokenLifeMs: tokenLife }),
  };
}

async function readUsers(file: string): Promise<Record<string, AuthUser>> {
  const { readFile } = await import('node:fs/promises');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KlosetError('SOURCE_UNREADABLE', 'the file of users cannot be read', { object: file, cause });
  }
  return parseUsers(text, file);
}

/**
 * Reads the lines of a file of users. Empty lines and those that begin with `#` are left out.
 *
 * @param file its name, for messages, which say the line and never what it holds
 * @throws KlosetError USAGE
 */
export function parseUsers(text: string, file: string): Record<string, AuthUser> {
  const users: [string, AuthUser][] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [account = '', ...rights] = line.trim().split(/\s+/);
    const colon = account.indexOf(':');
    const fail = (reason: string): never => {
      throw new KlosetError('USAGE', `line ${index + 1}: ${reason}`, { object: file });
    };
    if (colon < 1 || colon === account.length - 1) fail('expected NAME:PASSWORD');
    const parsed = rights.map((right): Right => {
      const at = right.indexOf('@');
      const actions = right.slice(0, Math.max(at, 0)).split(',');
      if (at < 1 || at === right.length - 1 || !actions.every((action) => ACTIONS.includes(action))) {
        fail('expected rights as ACTION,…@PATTERN, with the actions pull, push and delete');
      }
      return { repositories: right.slice(at + 1), actions: actions as Right['actions'][number][] };
    });
    const password = account.slice(colon + 1);
    users.push([account.slice(0, colon), parsed.length > 0 ? { password, rights: parsed } : { password }]);
  }
  if (users.length === 0) throw new KlosetError('USAGE', 'the file names no user', { object: file });
  return Object.fromEntries(users);
}
