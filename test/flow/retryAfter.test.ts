import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../src/flow/retryAfter.ts';

/** Sunday, 6 November 1994, 08:49:37 GMT: the date of the examples in RFC 9110. */
const THEN_MS = 784_111_777_000;

describe('Retry-After', () => {
  it.each([
    ['7', 7000],
    [' 0 ', 0],
    ['1.5', 1500],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 60_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 60_000],
    ['Sun Nov  6 08:49:37 1994', 60_000],
    ['Sun, 06 Nov 1994 08:40:00 GMT', 0],
    ['1m30s', 90_000],
    ['', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['tomorrow 5', undefined],
    ['7 seconds', undefined],
    ['Sun, 31 Feb 1994 08:49:37 GMT', undefined],
    ['Sun, 06 Nov 1994 25:49:37 GMT', undefined],
    ['Sun, 06 Nov 1994 08:49:37 CET', undefined],
    ['9999999999999', undefined],
  ])('%s', (header, ms) => expect(retryAfterMs(header, '', THEN_MS - 60_000)).toBe(ms));

  it.each([
    ['toomanyrequests: retry-after: 880.092µs, allowed: 44000/minute', 0.880092],
    ['retry-after: 880.092μs', 0.880092],
    ['Retry-After: 1h2m3.5s', 3_723_500],
    ['retry-after: 30ms, allowed: 1/second', 30],
    ['retry-after: later', undefined],
    ['retry-after: 5', undefined],
    ['try again', undefined],
  ])('in a message: %s', (message, ms) => {
    const found = retryAfterMs(undefined, message);
    if (ms === undefined) expect(found).toBeUndefined();
    else expect(found).toBeCloseTo(ms, 6);
  });

  it('the header counts where both are there', () => {
    expect(retryAfterMs('2', 'retry-after: 5s')).toBe(2000);
    expect(retryAfterMs('nonsense', 'retry-after: 5s')).toBe(5000);
  });

  it('a two-digit year is one of the next fifty or of the past', () => {
    const nowMs = Date.UTC(2026, 0, 1);
    expect(retryAfterMs('Thursday, 01-Jan-70 00:00:00 GMT', '', nowMs)).toBe(Date.UTC(2070, 0, 1) - nowMs);
    expect(retryAfterMs('Saturday, 01-Jan-77 00:00:00 GMT', '', nowMs)).toBe(0);
  });

  it('reads back any date in each of the three forms', () => {
    const dates = fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2068, 0, 1) });
    fc.assert(
      fc.property(dates, fc.integer({ min: 0, max: 5_000_000 }), (ms, aheadS) => {
        const at = ms - (ms % 1000);
        // Two digits of a year are read relative to now.
        const nowMs = Math.max(at - aheadS * 1000, Date.UTC(2020, 0, 1));
        const wanted = Math.max(0, at - nowMs);
        const imf = new Date(at).toUTCString();
        const [weekday = '', day = '', month = '', year = '', time = ''] = imf.replace(',', '').split(' ');
        const asctime = `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`;
        expect(retryAfterMs(imf, '', nowMs)).toBe(wanted);
        expect(retryAfterMs(asctime, '', nowMs)).toBe(wanted);
        const full = new Date(at).toLocaleDateString('en-US', { weekday: 'long', timeZone: 'UTC' });
        const rfc850 = `${full}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
        if (Number(year) <= 2069 && at >= nowMs) expect(retryAfterMs(rfc850, '', nowMs)).toBe(wanted);
      }),
    );
  });

  it('is a time or nothing, whatever it is given', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((s) => `retry-after: ${s}`),
      fc.stringMatching(/^[\d.]*(?:ns|us|µs|ms|s|m|h){0,3}$/),
    );
    fc.assert(
      fc.property(texts, texts, (header, message) => {
        const ms = retryAfterMs(header, message);
        return ms === undefined || (Number.isFinite(ms) && ms >= 0);
      }),
    );
  });
});
