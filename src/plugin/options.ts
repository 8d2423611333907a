import { distance } from 'fastest-levenshtein';
import { KlosetError } from '../errors.ts';
import { OPTIONS, readSettings, type StoreSettings, warningsAbout } from '../store/storeSettings.ts';

/** A store's configuration as the host hands it over. */
export interface ParsedConfig {
  readonly location: string;
  readonly settings: StoreSettings;
  /** What is dangerous, or looks like a mistake and is none for sure, as sentences. */
  readonly remarks: readonly string[];
}

/** Keys of the host. It keeps a passphrase to itself, save in `plakar sync`, where all reaches the plugin. */
const HOST_KEYS: readonly string[] = ['location', 'passphrase', 'passphrase_cmd'];

/** Options of earlier versions, with what has become of them. */
const RETIRED: Readonly<Record<string, string>> = {
  write_behind: 'a packfile is acknowledged once it is stored, and not before',
};

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
  const settings = readSettings(
    (name) => config.get(name),
    (name) => `Set it with "plakar store set NAME ${name}=…".`,
  );
  return {
    location,
    settings,
    remarks: [...warningsAbout(settings), ...[...config.keys()].flatMap((key) => remarkOn(key) ?? [])],
  };
}

function remarkOn(key: string): string | undefined {
  const known: readonly string[] = OPTIONS.map(({ name }) => name);
  if (Object.hasOwn(RETIRED, key)) return `the option "${key}" has no effect any more: ${RETIRED[key]}.`;
  if (known.includes(key) || HOST_KEYS.includes(key)) return undefined;
  const normal = key.toLowerCase().replaceAll('-', '_');
  const [best] = known
    .map((name) => ({ name, edits: distance(normal, name) }))
    .sort((a, b) => a.edits - b.edits);
  // Two edits: two letters in each other's place, or one letter too many and one too few.
  if (!best || best.edits > 2) return undefined;
  return `the option "${key}" is unknown and was ignored; did you mean ${best.name}?`;
}
