import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util';

/** A flag as `parseArgs` takes it, with what it means. */
export type Flags = Readonly<Record<string, ParseArgsOptionDescriptor & { readonly means: string }>>;

type Value<F> = F extends { type: 'boolean' }
  ? boolean
  : F extends { multiple: true }
    ? string[]
    : F extends { default: string }
      ? string
      : string | undefined;

/**
 * Reads the flags of a program; with `--help` it prints them instead, and the program ends.
 *
 * @param what the first lines of the help
 */
export function readFlags<const F extends Flags>(
  what: string,
  flags: F,
): { [name in keyof F]: Value<F[name]> } {
  const help = { help: { type: 'boolean', default: false, means: 'this text' } } as const;
  const options = Object.fromEntries(
    Object.entries<Flags[string]>({ ...flags, ...help }).map(([name, { means: _, ...rest }]) => [name, rest]),
  );
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(`${what}\n\n${flagLines({ ...flags, ...help })}`);
    process.exit(0);
  }
  return values as { [name in keyof F]: Value<F[name]> };
}

/** A line for each flag, with its default. */
export function flagLines(flags: Flags): string {
  const shown = Object.entries(flags).map(
    ([name, { type, means, default: value }]) =>
      [
        `--${name}${type === 'string' ? ' …' : ''}`,
        `${means}${typeof value === 'string' && value !== '' ? ` (${value})` : ''}`,
      ] as const,
  );
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, means]) => `  ${name.padEnd(width)}  ${means}`).join('\n');
}
