import { KlosetError } from '../../errors.ts';

/** A fault as it is written: `NAME [@KIND{+KIND}] [:KEY[=VALUE]{,KEY[=VALUE]}]`. */
export interface SpecText {
  readonly name: string;
  readonly kinds: readonly string[];
  /** In the order in which they are written; a key without `=` has no value. */
  readonly params: readonly (readonly [key: string, value: string | undefined])[];
}

const WORD = /^[a-z0-9][a-z0-9-]*$/;

/**
 * Reads the form of a fault, not its meaning. A value ends at the next comma, or stands in double quotes.
 *
 * @throws KlosetError USAGE
 */
export function parseSpecText(spec: string): SpecText {
  const text = spec.trim();
  const colon = text.indexOf(':');
  const head = colon < 0 ? text : text.slice(0, colon);
  const [name = '', kinds, ...more] = head.split('@').map((part) => part.trim());
  if (name === '') throw badSpec(spec, 'it names no fault');
  if (more.length > 0) throw badSpec(spec, 'it has more than one "@"');
  const params = colon < 0 ? [] : parseParams(text.slice(colon + 1), spec);
  return { name, kinds: kinds === undefined ? [] : kinds.split('+').map((kind) => kind.trim()), params };
}

/** The shortest text that {@link parseSpecText} reads as the same fault. */
export function formatSpecText({ name, kinds, params }: SpecText): string {
  const head = kinds.length > 0 ? `${name}@${kinds.join('+')}` : name;
  const tail = params.map(([key, value]) => (value === undefined ? key : `${key}=${quoted(value)}`));
  return tail.length > 0 ? `${head}:${tail.join(',')}` : head;
}

/** One line that says which fault is wrong and how. */
export function badSpec(spec: string, why: string): KlosetError {
  return new KlosetError('USAGE', `fault ${JSON.stringify(spec)}: ${why}`, {
    remedy: 'docs/emulator.md has the grammar and all faults',
  });
}

function parseParams(text: string, spec: string): (readonly [string, string | undefined])[] {
  const params: (readonly [string, string | undefined])[] = [];
  const seen = new Set<string>();
  let rest = text;
  while (true) {
    const match = /^\s*([^=,]*?)\s*(?:=\s*(?:"([^"]*)"|([^,"]*?))\s*)?(,|$)/.exec(rest);
    const key = match?.[1] ?? '';
    if (!match || key.startsWith('"')) throw badSpec(spec, `${JSON.stringify(rest)} cannot be read`);
    if (!WORD.test(key)) throw badSpec(spec, `${JSON.stringify(key)} is no key`);
    if (seen.has(key)) throw badSpec(spec, `"${key}" stands twice`);
    seen.add(key);
    params.push([key, match[2] ?? match[3]]);
    if (match[4] === '') return params;
    rest = rest.slice(match[0].length);
  }
}

function quoted(value: string): string {
  return value === '' || /[,\s]/.test(value) ? `"${value}"` : value;
}
