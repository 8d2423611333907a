import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKlosetError } from '../../src/errors.ts';
import {
  parseBoolean,
  parseBytes,
  parseChoice,
  parseCount,
  parseDuration,
  parsePort,
} from '../../src/store/optionValues.ts';

describe('values of options', () => {
  it.each([
    ['8MiB', 8 * 1024 ** 2],
    ['1.5 gib', 1.5 * 1024 ** 3],
    ['500kB', 500_000],
    ['1048576', 1_048_576],
  ])('the size %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each([
    ['90s', 90_000],
    ['2m', 120_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
  ])('the time %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '0', '0s', '-1s', '5', '5 parsecs', 'constructor', '1constructor', '1e3s'])(
    'refuses the time %o',
    (text) => expect(() => parseDuration(text)).toThrow(/USAGE.*expected a time such as 90s or 2m/),
  );

  it('names the choices', () => {
    expect(parseChoice('b', ['a', 'b', 'c'])).toBe('b');
    expect(() => parseChoice('toString', ['a', 'b', 'c'])).toThrow('expected a, b or c, got "toString"');
  });

  it('never returns what nobody could use', () => {
    const units = fc.constantFrom('', 'k', 'MiB', 's', 'ms', 'h', ' GB', 'constructor');
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.double().map(String), units).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(parseBytes, parseDuration, parseCount, parsePort), (value, parse) => {
        try {
          const number = parse(value);
          return Number.isSafeInteger(number) && number >= (parse === parsePort ? 0 : 1);
        } catch (error) {
          return isKlosetError(error, 'USAGE');
        }
      }),
      { numRuns: 1000 },
    );
    for (const value of ['TRUE', 'yes', '1', '']) expect(() => parseBoolean(value)).toThrow(/true or false/);
  });
});
