import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';

interface Row {
  code: string;
  exit: number;
  meaning: string;
  remedy: string;
}

/** The rows of the first table with these four columns. */
function readTable(markdown: string): Row[] {
  const lines = markdown.split('\n');
  // A formatter may pad the columns.
  const head = lines.findIndex((line) => /^\| code +\| exit +\| meaning +\| what to do +\|$/.test(line));
  if (head < 0) throw new Error('the table has no head');
  const rows: Row[] = [];
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) break;
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length !== 6) throw new Error(`not four cells: ${line}`);
    const [, code = '', exit = '', meaning = '', remedy = ''] = cells;
    rows.push({ code, exit: Number(exit), meaning, remedy });
  }
  return rows;
}

const rowsOfCode = Object.entries(ERROR_CODES).map(([code, { exit, meaning }]) => ({ code, exit, meaning }));

describe('docs/errors.md', () => {
  it('lists the codes, exit statuses and meanings of the code, in its order', async () => {
    const rows = readTable(await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8'));
    expect(rows.map(({ code, exit, meaning }) => ({ code, exit, meaning }))).toEqual(rowsOfCode);
  });

  it('says what to do about each of them', async () => {
    const rows = readTable(await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8'));
    for (const { code, remedy } of rows) expect(remedy, code).toMatch(/^[A-Z].{15,}\.$/s);
    expect(new Set(rows.map(({ remedy }) => remedy)).size).toBeGreaterThan(rows.length - 3);
  });

  it('would be found out of date', () => {
    const head = '| code | exit | meaning | what to do |\n|---|---|---|---|\n';
    const [first] = readTable(`${head}| USAGE | 1 | Wrong. | Do. |\n\n| NOT | 1 | x | y |\n`);
    expect(first).toEqual({ code: 'USAGE', exit: 1, meaning: 'Wrong.', remedy: 'Do.' });
    expect(first).not.toMatchObject(rowsOfCode[0] ?? {});
    expect(() => readTable(`${head}| USAGE | 1 |\n`)).toThrow('not four cells');
    expect(() => readTable('no table')).toThrow('no head');
  });
});
