import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RegistryOptions } from '../emulator/index.ts';
import { KlosetError } from '../errors.ts';
import { type RegistryAuthFlags, registryAccounts, registryAuth } from './registryAuth.ts';
import { parseBytes } from './values.ts';

/** The flags with which the embedded registry becomes another one. */
export interface RegistryProfileFlags {
  profile?: string;
  repository?: string[];
  rateLimits?: true | number;
  quota?: number;
}

/** Adds the flags of {@link RegistryProfileFlags}. */
export function withRegistryProfileFlags(command: Command): Command {
  return command
    .option('--profile <name>', 'behave like this registry; `registry profiles` lists them')
    .option(
      '--repository <name>',
      'a repository that exists where the profile wants it created first; * in it, and more than once',
      (name: string, before: string[] = []) => [...before, name],
    )
    .addOption(
      new Option(
        '--rate-limits [scale]',
        "the provider's caps on requests, times a number (0.1: a tenth of them)",
      ).argParser(parseScale),
    )
    .option(
      '--quota <size>',
      'what a repository may hold before the provider refuses more, where it has quotas',
      parseBytes,
    );
}

/**
 * The options of the registry that follow from profile and credentials.
 *
 * @throws KlosetError USAGE
 */
export async function profileOptions(
  flags: RegistryAuthFlags & RegistryProfileFlags,
): Promise<Pick<RegistryOptions, 'auth' | 'profile' | 'profileSettings'>> {
  const { profile, repository, rateLimits, quota } = flags;
  if (profile === undefined) {
    if (repository !== undefined || rateLimits !== undefined || quota !== undefined) {
      throw new KlosetError('USAGE', '--repository, --rate-limits and --quota need --profile');
    }
    const auth = await registryAuth(flags);
    return auth ? { auth } : {};
  }
  const auth = flags.auth === undefined ? undefined : await registryAuth(flags);
  const accounts = auth ? undefined : await registryAccounts(flags);
  return {
    profile: await profileNamed(profile),
    profileSettings: {
      ...accounts,
      ...(repository && { repositories: repository }),
      ...(rateLimits !== undefined && { rateScale: rateLimits === true ? 1 : rateLimits }),
      ...(quota !== undefined && { quotaBytes: quota }),
    },
    ...(auth && { auth }),
  };
}

async function profileNamed(name: string): Promise<NonNullable<RegistryOptions['profile']>> {
  const { PROFILE_NAMES } = await import('../emulator/profiles/index.ts');
  const known = PROFILE_NAMES.find((candidate) => candidate === name);
  if (known) return known;
  const { closest } = await import('fastest-levenshtein');
  throw new KlosetError('USAGE', `there is no profile ${JSON.stringify(name)}`, {
    remedy: `Did you mean ${closest(name, PROFILE_NAMES)}? \`kloset-oci registry profiles\` lists them all.`,
  });
}

function parseScale(text: string): number {
  const scale = Number(text);
  if (!Number.isFinite(scale) || scale <= 0) {
    throw new InvalidArgumentError('Expected a positive number.');
  }
  return scale;
}
