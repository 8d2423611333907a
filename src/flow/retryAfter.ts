/**
 * How long an answer asks to wait, in milliseconds, or `undefined` when it does not say, or says nonsense. Read are
 *
 * - `Retry-After` in seconds, whole as in RFC 9110 §10.2.3, or with a fraction, as some send it;
 * - `Retry-After` as a date in any of the three forms of RFC 9110 §5.6.7; what is past is no time at all;
 * - a duration of Go (`1m30s`, `880.092µs`), in the header or behind `retry-after:` in a message, which is where GHCR
 *   writes it.
 *
 * @param nowMs milliseconds since 1970, as dates count
 */
export function retryAfterMs(
  header: string | undefined,
  message: string,
  nowMs = Date.now(),
): number | undefined {
  const value = header?.trim() ?? '';
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(value)) return Number(value) * 1000;
  const dateMs = value === '' ? undefined : parseHttpDate(value, nowMs);
  if (dateMs !== undefined) return Math.max(0, dateMs - nowMs);
  const fromHeader = parseGoDuration(value);
  if (fromHeader !== undefined) return fromHeader;
  const inMessage = /retry-after:\s*([0-9.hmsnuµμ]{2,40})/i.exec(message);
  return inMessage ? parseGoDuration(inMessage[1] ?? '') : undefined;
}

const GO_UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  // The Greek letter, which Go reads too.
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** `1h2m3.5s` as milliseconds, in the grammar of Go's `time.ParseDuration`, without signs. */
function parseGoDuration(text: string): number | undefined {
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    ms += Number(amount) * (GO_UNITS_MS[unit ?? ''] ?? Number.NaN);
  }
  return Number.isFinite(ms) ? ms : undefined;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const CLOCK = String.raw`(\d{2}):(\d{2}):(\d{2})`;
/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const IMF_FIXDATE = new RegExp(String.raw`^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) ${CLOCK} GMT$`);
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC_850 = new RegExp(String.raw`^[A-Z][a-z]{5,8}, (\d{2})-([A-Z][a-z]{2})-(\d{2}) ${CLOCK} GMT$`);
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = new RegExp(String.raw`^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) ${CLOCK} (\d{4})$`);

/** A date as milliseconds since 1970. Date.parse is no help: it takes almost anything, in the local time zone. */
function parseHttpDate(text: string, nowMs: number): number | undefined {
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed) return utc(Number(fixed[3]), fixed[2], fixed[1], fixed.slice(4, 7));
  const old = RFC_850.exec(text);
  if (old) return utc(fullYear(Number(old[3]), nowMs), old[2], old[1], old.slice(4, 7));
  const c = ASCTIME.exec(text);
  if (c) return utc(Number(c[6]), c[1], c[2], c.slice(3, 6));
  return undefined;
}

/** A year of two digits that would lie more than 50 years ahead is one of the past (RFC 9110 §5.6.7). */
function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

function utc(
  year: number,
  monthName: string | undefined,
  dayText: string | undefined,
  time: readonly string[],
): number | undefined {
  const month = MONTHS.indexOf(monthName ?? '');
  const day = Number(dayText);
  const [hour = 0, minute = 0, second = 0] = time.map(Number);
  // A leap second is written as 60.
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return undefined;
  const ms = Date.UTC(year, month, day, hour, minute, second);
  // 31 February would be read as a day of March.
  return new Date(Date.UTC(year, month, day)).getUTCDate() === day ? ms : undefined;
}
