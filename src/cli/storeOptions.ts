import { type Command, Option } from 'commander';
import {
  OPTIONS,
  type OptionDescription,
  type OptionName,
  readSettings,
  type StoreSettings,
} from '../store/storeSettings.ts';
import { parseBoolean, parseBytes, parseChoice, parseCount, parseDuration, parsePort } from './values.ts';

/** The flags of commands that print, as commander hands them over. */
interface OutputFlags {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
}

/** The flags that all commands on a store share: those of the table of options are texts, checked already. */
export type CommonFlags = OutputFlags & Readonly<Record<string, unknown>>;

const VALUES = {
  boolean: { placeholder: 'boolean', check: parseBoolean },
  size: { placeholder: 'size', check: parseBytes },
  count: { placeholder: 'n', check: parseCount },
  time: { placeholder: 'time', check: parseDuration },
  text: { placeholder: 'text', check: undefined },
  file: { placeholder: 'file', check: undefined },
  choice: { placeholder: 'name', check: undefined },
} as const;

/** Adds the flags of commands that print. */
export function withOutputFlags(command: Command): Command {
  return command
    .option('--json', 'print one JSON object per line')
    .option('--quiet', 'print nothing but errors')
    .option('--verbose', 'print more, and the cause of errors');
}

/** Adds the flags of commands that talk to a registry, and not about objects: how it is reached. */
export function withConnectionFlags(command: Command): Command {
  return withOptions(withOutputFlags(command), ({ name }) => /tls|proxy|stall_timeout/.test(name));
}

function withOptions(command: Command, wanted: (option: OptionDescription) => boolean): Command {
  for (const option of OPTIONS as readonly OptionDescription[]) {
    if (option.pluginOnly || option.type === 'secret' || !wanted(option)) continue;
    const { placeholder, check } = VALUES[option.type];
    const text = `${option.description.replace(/\.$/, '')} (default: ${option.defaultText})`;
    const flag = new Option(`--${option.name.replaceAll('_', '-')} <${placeholder}>`, text);
    const { choices } = option;
    if (choices) {
      // Sets what the help shows; the check that follows also knows the nearest choice.
      flag.choices(choices).argParser((value) => parseChoice(value, choices));
    } else if (check) {
      flag.argParser((value) => {
        check(value);
        return value;
      });
    }
    command.addOption(flag);
  }
  return command;
}

/** Adds the flags of commands on a store. */
export function withStoreFlags(command: Command): Command {
  return withOptions(withOutputFlags(command), () => true).option(
    '--metrics-port <port>',
    'serve metrics in the format of Prometheus on this port of this machine, 0 for any free one',
    parsePort,
  );
}

/** The flags as settings of a store. */
export function storeSettings(flags: CommonFlags): StoreSettings {
  const textOf = (name: OptionName) => flags[attributeOf(name)] as string | undefined;
  return readSettings(textOf, (name) => `See --${name.replaceAll('_', '-')} in the help of the command.`);
}

/** The name under which commander keeps a flag: `chunk_size` is `chunkSize`. */
function attributeOf(name: OptionName): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
