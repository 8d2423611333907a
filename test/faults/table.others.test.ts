/** The rows of the fault table in which something is read, listed, deleted, created or copied. */
import { expect, test } from 'vitest';
import { playRows, rowsOf } from './play.ts';
import { TABLE } from './table.ts';

const ROWS = rowsOf(TABLE);
playRows(ROWS.filter(({ name }) => !name.startsWith('push')));

test('no row stands twice in the table', () => {
  const titles = ROWS.map(({ title, never = [] }) => `${title} ${never.join(' ')}`);
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
});
