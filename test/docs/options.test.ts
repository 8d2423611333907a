import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { OPTIONS, type OptionDescription } from '../../src/store/storeSettings.ts';

const VALUES = {
  boolean: () => 'true, false',
  size: () => 'a size: 8MiB, 500kB',
  count: () => 'a number',
  time: () => 'a time: 90s, 2m',
  text: () => 'text',
  file: () => 'path of a file',
  secret: () => 'a secret',
  choice: ({ choices = [] }: OptionDescription) => choices.join(', '),
} as const satisfies Record<OptionDescription['type'], (option: OptionDescription) => string>;

const expected = (OPTIONS as readonly OptionDescription[]).map((option) =>
  [`\`${option.name}\``, VALUES[option.type](option), option.defaultText, option.description].join(' | '),
);

/** The rows of the table of options, cells trimmed: a formatter pads them. */
function rowsOf(markdown: string): string[] {
  const lines = markdown.split('\n');
  const head = lines.findIndex((line) => /^\| option +\| values +\| default +\| meaning +\|$/.test(line));
  if (head < 0) throw new Error('there is no table of options');
  const body = lines.slice(head + 2);
  const end = body.findIndex((line) => !line.startsWith('|'));
  return body.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
      .join(' | '),
  );
}

describe('docs/plakar.md', () => {
  it('has every option of the plugin as the code describes it, in its order', async () => {
    const text = await readFile(new URL('../../docs/plakar.md', import.meta.url), 'utf8');
    expect(rowsOf(text)).toEqual(expected);
  });

  it('would be found out of date', () => {
    const head = '| option | values | default | meaning |\n|---|---|---|---|\n';
    expect(rowsOf(`${head}| \`use_tls\` | true | x | y |\n\nmore`)).toEqual(['`use_tls` | true | x | y']);
    expect(() => rowsOf('no table')).toThrow('no table of options');
  });
});
