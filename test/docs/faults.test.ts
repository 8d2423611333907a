import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { FAULTS } from '../../src/emulator/faults/catalogue.ts';
import type { FaultDefinition } from '../../src/emulator/faults/definition.ts';
import { FILTERS } from '../../src/emulator/faults/filter.ts';
import { GROUPS, KINDS } from '../../src/emulator/faults/kinds.ts';
import { expectation, type ParamTable } from '../../src/emulator/faults/params.ts';
import { WORDING_NAMES } from '../../src/emulator/faults/refusals.ts';
import { WORDING } from '../../src/emulator/faults/refusing.ts';

/** The requests of a fault, in the fewest words. */
function where({ kinds, allowed }: FaultDefinition): string {
  if (allowed === 'none') return 'the registry';
  if (kinds.length === KINDS.length) return 'all';
  if (kinds.length === 0) return 'to be named';
  return kinds.map((kind) => `\`${kind}\``).join(', ');
}

function keys(params: ParamTable): string {
  const own = Object.entries(params).filter(
    ([key]) => !Object.hasOwn(WORDING, key) || params[key] !== WORDING[key],
  );
  const shown = own.map(([key, param]) => {
    return param.type === 'flag'
      ? `\`${key}\`: ${param.says}`
      : `\`${key}=\` ${expectation(param)}: ${param.says}`;
  });
  if (own.length < Object.keys(params).length) shown.push('a wording');
  return shown.join('<br>');
}

const tables: Readonly<Record<string, readonly string[][]>> = {
  '| fault | requests | what happens | keys of its own | example |': FAULTS.map((fault) => [
    `\`${fault.name}\``,
    where(fault),
    fault.says,
    keys(fault.params),
    `\`${fault.example}\``,
  ]),
  '| key | value | which requests |': Object.entries(FILTERS).map(([key, param]) => [
    `\`${key}\``,
    expectation(param),
    param.says,
  ]),
  '| wording key | value | the refusal |': Object.entries(WORDING).map(([key, param]) => [
    `\`${key}\``,
    key === 'spelling' ? WORDING_NAMES.map((name) => `\`${name}\``).join(', ') : expectation(param),
    param.says,
  ]),
  '| group | kinds |': Object.entries(GROUPS).map(([name, kinds]) => [
    `\`${name}\``,
    kinds.length === KINDS.length ? 'all' : kinds.map((kind) => `\`${kind}\``).join(', '),
  ]),
};

/** The rows of the table with this head; cells trimmed, since a formatter pads them. */
function rowsOf(markdown: string, head: string): string[][] {
  const cells = (line: string) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
  const lines = markdown.split('\n');
  const at = lines.findIndex((line) => cells(line).join('|') === cells(head).join('|'));
  if (at < 0) return [];
  const body = lines.slice(at + 2);
  const end = body.findIndex((line) => !line.startsWith('|'));
  return body.slice(0, end < 0 ? undefined : end).map(cells);
}

describe('docs/emulator.md', () => {
  it.each(Object.keys(tables))('has the table %s as the code has it', async (head) => {
    const text = await readFile(new URL('../../docs/emulator.md', import.meta.url), 'utf8');
    expect(rowsOf(text, head)).toEqual(tables[head]);
  });

  it('names every kind of request', async () => {
    const text = await readFile(new URL('../../docs/emulator.md', import.meta.url), 'utf8');
    const line = text.split('\n').find((candidate) => candidate.startsWith('Kinds: '));
    expect(line).toBe(`Kinds: ${KINDS.map((kind) => `\`${kind}\``).join(', ')}.`);
  });
});
