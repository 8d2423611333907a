import { distance } from 'fastest-levenshtein';
import type { UploadMode } from '../engine/hostMemory.ts';
import { isKlosetError, KlosetError } from '../errors.ts';
import { parseBoolean, parseBytes, parseChoice, parseCount, parseDuration } from '../store/optionValues.ts';
import type { HasherChoice } from '../workers/hasher.ts';

const UPLOAD_MODES = ['auto', 'chunked', 'monolithic'] as const satisfies readonly UploadMode[];
const HASHERS = ['auto', 'wasm', 'native'] as const satisfies readonly HasherChoice[];

/** How the value of an option is written. */
type OptionType = 'boolean' | 'size' | 'count' | 'time' | 'choice';

/** An option of a store, for the documentation, for the package's schema, and for {@link parseOptions}. */
export interface OptionDescription {
  readonly name: string;
  readonly type: OptionType;
  readonly choices?: readonly string[];
  /** The default as it is documented; a value of the type, or words where the default depends on something. */
  readonly defaultText: string;
  /** One sentence. */
  readonly description: string;
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
  },
  {
    name: 'write_behind',
    type: 'boolean',
    defaultText: 'true',
    description:
      'Take the next packfile while earlier ones are still on their way; a state is stored after all of them.',
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
] as const satisfies readonly OptionDescription[];

type OptionName = (typeof OPTIONS)[number]['name'];

/** Settings of a store, as {@link parseOptions} reads them. What the user did not set is undefined. */
export interface PluginOptions {
  readonly useTls: boolean | undefined;
  readonly concurrency: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly cacheBytes: number | undefined;
  readonly writeBehind: boolean | undefined;
  readonly uploadMode: UploadMode | undefined;
  readonly chunkBytes: number | undefined;
  readonly partBytes: number | undefined;
  readonly hasher: HasherChoice | undefined;
  readonly stallTimeoutMs: number | undefined;
}

/** A store's configuration as the host hands it over. */
export interface ParsedConfig {
  readonly location: string;
  readonly options: PluginOptions;
  /** What looks like a mistake and is none for sure, as sentences. */
  readonly remarks: readonly string[];
}

/** Keys of the host. It keeps a passphrase to itself, save in `plakar sync`, where all reaches the plugin. */
const HOST_KEYS: readonly string[] = ['location', 'passphrase', 'passphrase_cmd'];

/**
 * Reads what `plakar store add NAME LOCATION key=value…` has stored. Keys that are not ours are left alone: the host
 * may add its own. Their values may be secrets and are never shown.
 *
 * @throws KlosetError USAGE for a value that an option does not take, or where the location is missing
 */
export function parseOptions(config: ReadonlyMap<string, string>): ParsedConfig {
  const location = config.get('location');
  if (location === undefined || location === '') {
    throw new KlosetError('USAGE', 'the location of the store is missing', {
      remedy: 'Write it as oci://HOST[:PORT]/REPOSITORY.',
    });
  }
  const read = <T>(name: OptionName, parse: (text: string) => T): T | undefined => {
    const text = config.get(name);
    return text === undefined ? undefined : named(name, () => parse(text));
  };
  return {
    location,
    options: {
      useTls: read('use_tls', parseBoolean),
      concurrency: read('concurrency', parseCount),
      memoryBytes: read('memory', parseBytes),
      cacheBytes: read('cache_size', parseBytes),
      writeBehind: read('write_behind', parseBoolean),
      uploadMode: read('upload_mode', (text) => parseChoice(text, UPLOAD_MODES)),
      chunkBytes: read('chunk_size', parseBytes),
      partBytes: read('part_size', parseBytes),
      hasher: read('hasher', (text) => parseChoice(text, HASHERS)),
      stallTimeoutMs: read('stall_timeout', parseDuration),
    },
    remarks: [...config.keys()].flatMap((key) => remarkOn(key) ?? []),
  };
}

function named<T>(name: OptionName, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isKlosetError(error, 'USAGE')) throw error;
    throw new KlosetError('USAGE', `option ${name}: ${error.summary}`, {
      remedy: `Set it with "plakar store set NAME ${name}=…".`,
    });
  }
}

function remarkOn(key: string): string | undefined {
  const known: readonly string[] = OPTIONS.map(({ name }) => name);
  if (known.includes(key) || HOST_KEYS.includes(key)) return undefined;
  const normal = key.toLowerCase().replaceAll('-', '_');
  const [best] = known
    .map((name) => ({ name, edits: distance(normal, name) }))
    .sort((a, b) => a.edits - b.edits);
  // Two edits: two letters in each other's place, or one letter too many and one too few.
  if (!best || best.edits > 2) return undefined;
  return `the option "${key}" is unknown and was ignored; did you mean ${best.name}?`;
}
