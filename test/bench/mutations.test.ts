import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MUTATIONS } from '../../bench/guard/mutations.ts';

/** The proof itself takes a minute and runs in CI; that its changes still fit the product is known at once. */
describe('the mutations that the guard has to see', () => {
  it.each(MUTATIONS)('$name: fits its file at one place', async ({ file, from }) => {
    const source = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(source.split(from)).toHaveLength(2);
  });
});
