import { distance } from 'fastest-levenshtein';
import { KlosetError } from '../errors.ts';

/** Values of options as users write them, on the command line and in Plakar's store configuration. */

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const MAX_COUNT = 4096;

/**
 * `8MiB`, `500kB`, `1048576` → bytes.
 *
 * @throws KlosetError USAGE, as all of these
 */
export function parseBytes(text: string): number {
  const bytes = Math.round(scaled(text, BYTE_UNITS));
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw unexpected('a size such as 8MiB or 500kB', text);
  return bytes;
}

/** `90s`, `2m`, `500ms` → milliseconds. */
export function parseDuration(text: string): number {
  const ms = Math.round(scaled(text, TIME_UNITS));
  if (!Number.isSafeInteger(ms) || ms <= 0) throw unexpected('a time such as 90s or 2m', text);
  return ms;
}

/** A whole number from 1 to 4096. */
export function parseCount(text: string, max = MAX_COUNT): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > max) {
    throw unexpected(`a whole number from 1 to ${max}`, text);
  }
  return value;
}

/** A TCP port; 0 lets the system choose. */
export function parsePort(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw unexpected('a port from 0 to 65535', text);
  return value;
}

/** `true` or `false`. */
export function parseBoolean(text: string): boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw unexpected('true or false', text);
}

/** Any text but an empty one, which is what an unset variable of a shell leaves. */
export function parseText(text: string): string {
  if (text.trim() === '') throw new KlosetError('USAGE', 'expected a value, got an empty text');
  return text;
}

/** One of a few words. */
export function parseChoice<T extends string>(text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  const [near] = choices
    .map((choice) => ({ choice, edits: distance(text.toLowerCase(), choice) }))
    // Half of a short word changed is another word.
    .filter(({ choice, edits }) => edits <= Math.min(3, Math.floor(choice.length / 2)))
    .sort((a, b) => a.edits - b.edits);
  const list = choices.join(', ').replace(/, ([^,]*)$/, ' or $1');
  throw unexpected(list, text, near ? `; did you mean ${near.choice}?` : '');
}

function scaled(text: string, units: Readonly<Record<string, number>>): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = (match?.[2] ?? '').toLowerCase();
  return Number(match?.[1]) * (Object.hasOwn(units, unit) ? (units[unit] as number) : Number.NaN);
}

function unexpected(what: string, got: string, more = ''): KlosetError {
  return new KlosetError('USAGE', `expected ${what}, got "${got}"${more}`);
}
