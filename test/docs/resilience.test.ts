/** docs/resilience.md names options, their defaults, error codes and files: all of them are there. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import { OPTIONS, type OptionDescription } from '../../src/store/storeSettings.ts';

const root = new URL('../../', import.meta.url);
const text = await readFile(new URL('docs/resilience.md', root), 'utf8');

/** The cells of the rows of a table, without its head. */
function rowsBelow(head: RegExp): string[][] {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => head.test(line));
  expect(at).toBeGreaterThan(0);
  const body = lines.slice(at + 2);
  const end = body.findIndex((line) => !line.startsWith('|'));
  return body.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/resilience.md', () => {
  it('has options and flags as they are, with their defaults', () => {
    const options: readonly OptionDescription[] = OPTIONS;
    const rows = rowsBelow(/^\| option +\| flag/).filter(([option]) => option !== '');
    expect(rows.length).toBeGreaterThan(3);
    for (const [option, flag, shown] of rows) {
      const known = options.find(({ name }) => `\`${name}\`` === option);
      expect(known, option).toBeDefined();
      expect(flag).toBe(`\`--${known?.name.replaceAll('_', '-')}\``);
      expect(shown).toBe(known?.defaultText);
    }
  });

  it('ends each kind of trouble with a code that there is', () => {
    const codes = rowsBelow(/^\| trouble/).flatMap(([, , , then = '']) => [...then.matchAll(/`([A-Z_]+)`/g)]);
    expect(codes.length).toBeGreaterThan(10);
    for (const [, code = ''] of codes) expect(Object.keys(ERROR_CODES)).toContain(code);
  });

  it('says of numbers where they are', () => {
    const places = rowsBelow(/^\| number/).map(([, where = '']) => where.replaceAll('`', ''));
    expect(places.length).toBeGreaterThan(5);
    for (const place of places) expect(existsSync(new URL(`src/${place}.ts`, root)), place).toBe(true);
  });
});
