import type { AnswerPlace } from '../faults.ts';
import * as values from './values.ts';
import { unknownWord } from './words.ts';

const READERS = {
  count: { read: values.parseCount, expects: 'a whole number from 1' },
  span: { read: values.parseSpan, expects: 'a number such as 2, or a span such as 2..4 or 2..' },
  size: { read: values.parseSize, expects: 'a size such as 64KiB' },
  time: { read: values.parseTime, expects: 'a time such as 200ms or 2s, of a day at most' },
  rate: { read: values.parseEventRate, expects: 'a rate such as 10/s or 600/m' },
  pace: { read: values.parseByteRate, expects: 'bytes per second, such as 20KiB/s' },
  chance: { read: values.parseChance, expects: 'a probability above 0, at most 1' },
  place: { read: values.parsePlace, expects: 'a place such as 64KiB or 40%' },
  status: { read: values.parseStatus, expects: 'an HTTP status from 200 to 599' },
  text: { read: (text: string) => text, expects: 'text' },
  flag: { read: () => true, expects: 'no value' },
} as const satisfies Record<string, { read: (text: string) => unknown; expects: string }>;

type ParamType = keyof typeof READERS;

/** A parameter of a fault: the type of its value, or the words that it takes. */
export interface Param {
  readonly type: ParamType | readonly string[];
  readonly says: string;
  readonly needed?: true;
}

/** Parameters by key. A key that ends in `*` stands for all that begin like it. */
export type ParamTable = Readonly<Record<string, Param>>;

/** The parameters of one fault as they were given, read. */
export class Values {
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(given: ReadonlyMap<string, unknown>) {
    this.#values = given;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  number(key: string): number | undefined {
    return this.#values.get(key) as number | undefined;
  }

  text(key: string): string | undefined {
    return this.#values.get(key) as string | undefined;
  }

  span(key: string): values.Span | undefined {
    return this.#values.get(key) as values.Span | undefined;
  }

  /** The place under the first of the keys that was given. */
  place(...keys: readonly string[]): AnswerPlace | undefined {
    const key = keys.find((candidate) => this.has(candidate));
    return key === undefined ? undefined : (this.#values.get(key) as AnswerPlace);
  }

  /** What was given for a key that ends in `*`: the rest of each key with its text. */
  starting(prefix: string): readonly (readonly [rest: string, text: string])[] {
    return [...this.#values]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value as string] as const);
  }
}

/**
 * Reads the parameters of a fault.
 *
 * @param refuse ends the parse with what is wrong
 */
export function readParams(
  given: readonly (readonly [string, string | undefined])[],
  table: ParamTable,
  refuse: (why: string) => never,
): Values {
  const read = new Map<string, unknown>();
  for (const [key, text] of given) {
    const param = paramOf(key, table);
    if (!param) return refuse(unknownWord(key, 'key of this fault', Object.keys(table)));
    read.set(key, readValue(key, text, param, refuse));
  }
  for (const [key, param] of Object.entries(table)) {
    if (param.needed && !read.has(key)) return refuse(`it needs ${key}=, ${expectation(param)}`);
  }
  return new Values(read);
}

/** What a parameter takes, in words. */
export function expectation({ type }: Param): string {
  if (typeof type === 'string') return READERS[type].expects;
  return type.length === 1 ? `the word ${type[0]}` : `one of ${type.join(', ')}`;
}

function paramOf(key: string, table: ParamTable): Param | undefined {
  if (Object.hasOwn(table, key) && !key.endsWith('*')) return table[key];
  const open = Object.keys(table).find((known) => known.endsWith('*') && key.startsWith(known.slice(0, -1)));
  return open !== undefined && key.length >= open.length ? table[open] : undefined;
}

function readValue(
  key: string,
  text: string | undefined,
  param: Param,
  refuse: (why: string) => never,
): unknown {
  const { type } = param;
  if (type === 'flag')
    return text === undefined || refuse(`${key} takes no value, it got ${JSON.stringify(text)}`);
  if (text === undefined) return refuse(`${key} needs a value, ${expectation(param)}`);
  if (typeof type !== 'string') {
    return type.includes(text) ? text : refuse(`${key}: ${unknownWord(text, 'word that it takes', type)}`);
  }
  return (
    READERS[type].read(text) ?? refuse(`${key}: expected ${expectation(param)}, got ${JSON.stringify(text)}`)
  );
}
