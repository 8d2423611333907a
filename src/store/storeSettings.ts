import { isKlosetError, KlosetError } from '../errors.ts';
import type { GivenCredentials } from '../registry/auth/givenCredentials.ts';
import { PROFILE_NAMES, type ProfileName } from '../registry/profiles/names.ts';
import type { UploadMode } from '../registry/profiles.ts';
import type { TlsOptions } from '../registry/tls.ts';
import type { HasherChoice } from '../workers/hasher.ts';
import type { OciStoreOptions } from './openStore.ts';
import {
  parseBoolean,
  parseBytes,
  parseChoice,
  parseCount,
  parseDuration,
  parseText,
} from './optionValues.ts';

const UPLOAD_MODES = ['auto', 'chunked', 'monolithic'] as const satisfies readonly UploadMode[];
const PROFILES = ['auto', ...PROFILE_NAMES] as const;
const HASHERS = ['auto', 'wasm', 'native'] as const satisfies readonly HasherChoice[];

/** How the value of an option is written. A secret is never a flag: arguments are for every process to read. */
type OptionType = 'boolean' | 'size' | 'count' | 'time' | 'choice' | 'text' | 'file' | 'secret';

/** An option of a store: for the command line, the plugin, the documentation, and the package's schema. */
export interface OptionDescription {
  /** As it stands in a Plakar configuration; the command line's flag has hyphens. */
  readonly name: string;
  readonly type: OptionType;
  readonly choices?: readonly string[];
  /** The default as it is documented; a value of the type, or words where the default depends on something. */
  readonly defaultText: string;
  /** One sentence. */
  readonly description: string;
  /** For the plugin alone. */
  readonly pluginOnly?: true;
}

/** The options of a store, in the order in which they are documented. */
export const OPTIONS = [
  {
    name: 'use_tls',
    type: 'boolean',
    defaultText: 'false for this machine, true for all other hosts',
    description: 'Speak TLS to the registry, or plain HTTP.',
  },
  {
    name: 'profile',
    type: 'choice',
    choices: PROFILES,
    defaultText: 'auto',
    description:
      "The registry's kind, where its host name does not tell it: its limits are then kept from the first request.",
  },
  {
    name: 'tls_ca_file',
    type: 'file',
    defaultText: 'none',
    description: 'PEM file of authorities to trust, in addition to those of Node and of the system.',
  },
  {
    name: 'tls_cert_file',
    type: 'file',
    defaultText: 'none',
    description: 'PEM file of the client certificate, with its chain; shown to the registry alone.',
  },
  {
    name: 'tls_key_file',
    type: 'file',
    defaultText: 'none',
    description: 'PEM file of the key of the client certificate.',
  },
  {
    name: 'tls_server_name',
    type: 'text',
    defaultText: 'the host of the location',
    description: "Name that the registry's certificate has to be for.",
  },
  {
    name: 'tls_insecure_no_verify',
    type: 'boolean',
    defaultText: 'false',
    description: 'Take any certificate: whoever is in between can read and change everything.',
  },
  {
    name: 'username',
    type: 'text',
    defaultText: 'none',
    description: 'Who to be at the registry; without it, stored logins are looked for.',
  },
  {
    name: 'password',
    type: 'secret',
    defaultText: 'none',
    description: 'The password, or the access token that the registry takes in its place.',
  },
  {
    name: 'password_file',
    type: 'file',
    defaultText: 'none',
    description: 'A file whose first line is the password.',
  },
  {
    name: 'token',
    type: 'secret',
    defaultText: 'none',
    description: 'A Bearer token that goes to the registry as it is.',
  },
  {
    name: 'token_file',
    type: 'file',
    defaultText: 'none',
    description: 'A file whose first line is the token.',
  },
  {
    name: 'concurrency',
    type: 'count',
    defaultText: '16',
    description: 'Objects that are uploaded at once.',
  },
  {
    name: 'memory',
    type: 'size',
    defaultText: '256MiB',
    description: 'Bound of the memory for uploads, above that of an idle plugin; at least 32MiB.',
  },
  {
    name: 'cache_size',
    type: 'size',
    defaultText: '64MiB',
    description: 'Memory for what was read from the registry, for all packfiles together.',
    pluginOnly: true,
  },
  {
    name: 'upload_mode',
    type: 'choice',
    choices: UPLOAD_MODES,
    defaultText: 'auto',
    description: 'Send an object in one request, in chunks, or as the registry takes it.',
  },
  {
    name: 'chunk_size',
    type: 'size',
    defaultText: 'found out per registry',
    description: 'Size of a chunk, where objects are sent in chunks.',
  },
  {
    name: 'part_size',
    type: 'size',
    defaultText: '1GiB',
    description: 'Length above which an object is stored as several blobs, which only kloset-oci can read.',
  },
  {
    name: 'hasher',
    type: 'choice',
    choices: HASHERS,
    defaultText: 'auto',
    description: 'The implementation of SHA-256: OpenSSL (native), WebAssembly (wasm), or the faster one.',
  },
  {
    name: 'stall_timeout',
    type: 'time',
    defaultText: '2m',
    description: 'How long a request may make no progress before it is given up and tried again.',
  },
  {
    name: 'no_progress_timeout',
    type: 'time',
    defaultText: '15m',
    description:
      'How long to go on while a registry that has answered before is down or throttles everything.',
  },
  {
    name: 'allow_shared_repository',
    type: 'boolean',
    defaultText: 'false',
    description: 'Write into a repository that also holds tags of others, such as container images.',
  },
] as const satisfies readonly OptionDescription[];

export type OptionName = (typeof OPTIONS)[number]['name'];

/** Settings of a store as the user made them. What was not set is undefined. */
export interface StoreSettings {
  readonly useTls: boolean | undefined;
  /** `undefined` also for `auto`. */
  readonly profile: ProfileName | undefined;
  readonly tls: TlsOptions;
  readonly credentials: GivenCredentials | undefined;
  readonly concurrency: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly cacheBytes: number | undefined;
  readonly uploadMode: UploadMode | undefined;
  readonly chunkBytes: number | undefined;
  readonly partBytes: number | undefined;
  readonly hasher: HasherChoice | undefined;
  readonly stallTimeoutMs: number | undefined;
  readonly noProgressTimeoutMs: number | undefined;
  readonly allowSharedRepository: boolean | undefined;
}

/**
 * Reads settings from their texts.
 *
 * @param textOf the text of an option, or undefined where it is not set
 * @param remedy what to do about a wrong value, as a sentence
 * @throws KlosetError USAGE for a value that an option does not take
 */
export function readSettings(
  textOf: (name: OptionName) => string | undefined,
  remedy: (name: OptionName) => string | undefined,
): StoreSettings {
  const read = <T>(name: OptionName, parse: (text: string) => T): T | undefined => {
    const text = textOf(name);
    return text === undefined ? undefined : named(name, () => parse(text), remedy(name));
  };
  return {
    useTls: read('use_tls', parseBoolean),
    profile: read('profile', parseProfile),
    tls: {
      insecureNoVerify: read('tls_insecure_no_verify', parseBoolean),
      caFile: read('tls_ca_file', parseText),
      certFile: read('tls_cert_file', parseText),
      keyFile: read('tls_key_file', parseText),
      serverName: read('tls_server_name', parseText),
    },
    credentials: credentialsOf(textOf),
    concurrency: read('concurrency', parseCount),
    memoryBytes: read('memory', parseBytes),
    cacheBytes: read('cache_size', parseBytes),
    uploadMode: read('upload_mode', (text) => parseChoice(text, UPLOAD_MODES)),
    chunkBytes: read('chunk_size', parseBytes),
    partBytes: read('part_size', parseBytes),
    hasher: read('hasher', (text) => parseChoice(text, HASHERS)),
    stallTimeoutMs: read('stall_timeout', parseDuration),
    noProgressTimeoutMs: read('no_progress_timeout', parseDuration),
    allowSharedRepository: read('allow_shared_repository', parseBoolean),
  };
}

/** What the settings mean for a store in a registry. */
export function ociStoreOptions(settings: StoreSettings): OciStoreOptions {
  const { useTls, tls, concurrency, memoryBytes, uploadMode, chunkBytes, partBytes, hasher } = settings;
  const { stallTimeoutMs, noProgressTimeoutMs, profile, credentials, allowSharedRepository } = settings;
  return {
    useTls,
    tls,
    profile,
    credentials,
    concurrency,
    memoryBytes,
    uploadMode,
    chunkBytes,
    partBytes,
    hasher,
    allowSharedRepository,
    noProgressTimeoutMs,
    http: stallTimeoutMs === undefined ? {} : { stallTimeoutMs },
  };
}

function parseProfile(text: string): ProfileName | undefined {
  const choice = parseChoice(text, PROFILES);
  return choice === 'auto' ? undefined : choice;
}

/** What the user should be told about settings that are allowed and dangerous, as sentences. */
export function warningsAbout(settings: StoreSettings): string[] {
  if (settings.tls.insecureNoVerify !== true) return [];
  return [
    'tls_insecure_no_verify is set: certificates are not checked, and whoever is in between can read and change everything.',
  ];
}

function credentialsOf(textOf: (name: OptionName) => string | undefined): GivenCredentials | undefined {
  const given = {
    username: textOf('username') || undefined,
    password: textOf('password') || undefined,
    passwordFile: textOf('password_file') || undefined,
    token: textOf('token') || undefined,
    tokenFile: textOf('token_file') || undefined,
  };
  return Object.values(given).some((value) => value !== undefined) ? given : undefined;
}

function named<T>(name: OptionName, parse: () => T, remedy: string | undefined): T {
  try {
    return parse();
  } catch (error) {
    if (!isKlosetError(error, 'USAGE')) throw error;
    throw new KlosetError(
      'USAGE',
      `option ${name}: ${error.summary}`,
      remedy === undefined ? {} : { remedy },
    );
  }
}
