import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatSeconds, formatTable } from '../../src/cli/format.ts';
import { parseBoolean, parseBytes, parseCount, parsePort } from '../../src/cli/values.ts';

describe('values of flags', () => {
  it.each([
    ['8MiB', 8 * 1024 ** 2],
    ['1.5 GiB', 1.5 * 1024 ** 3],
    ['500kB', 500_000],
    ['64k', 65_536],
    ['1048576', 1_048_576],
  ])('%s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));
  it.each(['', '0', '-1', '8XB', 'MiB', '1e9', 'NaN'])('refuses the size %o', (text) =>
    expect(() => parseBytes(text)).toThrow(/expected a size/),
  );
  it('never returns what is no positive whole number', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          return Number.isSafeInteger(parseBytes(text)) && parseBytes(text) > 0;
        } catch {
          return true;
        }
      }),
    );
  });
  it('refuses counts, ports and booleans that are none', () => {
    for (const text of ['0', '1.5', 'x', '-1', '5000'])
      expect(() => parseCount(text)).toThrow(/whole number/);
    for (const text of ['65536', 'x', '-1']) expect(() => parsePort(text)).toThrow(/port/);
    expect(() => parseBoolean('yes')).toThrow(/true or false/);
    expect([parseCount('16'), parsePort('0'), parseBoolean('true')]).toEqual([16, 0, true]);
  });
});

describe('formats', () => {
  it('reads well', () => {
    expect([formatBytes(12), formatBytes(20 * 1024 ** 2), formatSeconds(3.21), formatSeconds(3723)]).toEqual([
      '12 B',
      '20.0 MiB',
      '3.2 s',
      '1:02:03',
    ]);
    expect(
      formatTable([
        ['a', 'bbb'],
        ['cc', 'd'],
      ]),
    ).toBe('  a   bbb\n  cc  d');
  });
});
