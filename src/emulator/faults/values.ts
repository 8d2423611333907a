import type { AnswerPlace } from '../faults.ts';

/** Numbers with units, as they stand in a fault. Each function returns undefined for what makes no sense. */

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
/** A day: no fault is of use for longer, and timers end at 24.8 days. */
const MAX_TIME_MS = 24 * 3_600_000;

/** From one match to another, both included; `last` may be Infinity. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** `8MiB`, `500kB`, `0` → bytes. */
export function parseSize(text: string): number | undefined {
  const bytes = Math.round(scaled(text, BYTE_UNITS));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `2s`, `500ms`, `0s` → milliseconds, of a day at most. */
export function parseTime(text: string): number | undefined {
  const ms = text === '0' ? 0 : scaled(text, TIME_UNITS);
  return ms <= MAX_TIME_MS ? ms : undefined;
}

/** `10/s`, `600/m`, `100/h` → events per second. */
export function parseEventRate(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\/(s|m|h)$/.exec(text);
  const perSecond = Number(match?.[1]) / ((TIME_UNITS[match?.[2] ?? ''] ?? Number.NaN) / 1000);
  return perSecond > 0 && perSecond <= 1e6 ? perSecond : undefined;
}

/** `20KiB/s` → bytes per second. */
export function parseByteRate(text: string): number | undefined {
  const perSecond = text.endsWith('/s') ? parseSize(text.slice(0, -2)) : undefined;
  return perSecond !== undefined && perSecond > 0 ? perSecond : undefined;
}

/** A whole number from 1. */
export function parseCount(text: string): number | undefined {
  const value = Number(text);
  return /^\d{1,9}$/.test(text) && value > 0 ? value : undefined;
}

/** `3`, `2..4`, or `2..` for all from the second on. */
export function parseSpan(text: string): Span | undefined {
  const match = /^(\d{1,9})(\.\.(\d{1,9})?)?$/.exec(text);
  if (!match) return undefined;
  const first = Number(match[1]);
  const last =
    match[2] === undefined ? first : match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]);
  return first > 0 && last >= first ? { first, last } : undefined;
}

/** A probability: above 0, at most 1. */
export function parseChance(text: string): number | undefined {
  const value = Number(text);
  return /^\d*\.?\d+$/.test(text) && value > 0 && value <= 1 ? value : undefined;
}

/** A place in a body: `64KiB` from its start, or `40%` of its length. */
export function parsePlace(text: string): AnswerPlace | undefined {
  const match = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text);
  if (!match) return parseSize(text);
  const share = Number(match[1]) / 100;
  return share <= 1 ? { share } : undefined;
}

/** An HTTP status that ends an exchange. */
export function parseStatus(text: string): number | undefined {
  return /^[2-5]\d\d$/.test(text) ? Number(text) : undefined;
}

/** The byte that a place means in a body of a length; without a length a share is of nothing. */
export function placeIn(place: AnswerPlace, lengthBytes: number | undefined): number {
  return typeof place === 'number' ? place : Math.floor(place.share * (lengthBytes ?? 0));
}

function scaled(text: string, units: Readonly<Record<string, number>>): number {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)([a-z]*)$/i.exec(text);
  const unit = (match?.[2] ?? '').toLowerCase();
  return Number(match?.[1]) * (Object.hasOwn(units, unit) ? (units[unit] as number) : Number.NaN);
}
