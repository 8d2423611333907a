import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blocksOf } from '../../bench/report/blocks.ts';
import { coloursOf } from '../../bench/report/colours.ts';
import { orderOf } from '../../bench/report/order.ts';
import { ratioTable } from '../../bench/report/ratios.ts';
import { reportOf } from '../../bench/report/report.ts';
import { withSeveral } from '../../bench/report/rows.ts';
import type { Result } from '../../bench/suite/schema.ts';
import { markdownTable, withoutEmptyColumns } from '../../bench/suite/table.ts';
import { suiteFile } from '../support/suiteFile.ts';

const MIB = 1024 * 1024;
const push = (registry: string, contestant: string, seconds: number, more: Partial<Result> = {}): Result => ({
  ...{ task: 'push', registry, contestant, objects: 32, objectBytes: 20 * MIB },
  ...{ unit: 's', samples: [seconds], median: seconds, spread: 0, ...more },
});

test('a ratio is the median of the registries, with the worst and the best of them', () => {
  const { head, rows } = ratioTable([
    ...[push('embedded', 'ours', 2), push('zot', 'ours', 1), push('distribution3', 'ours', 4)],
    ...[push('embedded', 'oras', 2), push('zot', 'oras', 3), push('distribution3', 'oras', 2)],
    // Nothing of ours to compare with, and a setting of ours.
    ...[push('docker-registry', 'oras', 9), push('zot', 'ours-wasm-chunked', 9)],
    ...[push('zot', 'crane', 0.5, { roundTripMs: 50 }), push('zot', 'ours', 1, { roundTripMs: 50 })],
    // At a number at once that was chosen for it, a program does not do what its users see.
    ...[push('zot', 'oras', 1, { concurrency: 1 }), push('zot', 'ours', 9, { concurrency: 1 })],
  ]);
  expect(head).toEqual(['task', 'size', 'link', 'unit', 'registries', '× oras', '× crane']);
  expect(rows).toEqual([
    ['push', '32 × 20 MiB', 'loopback', 's', 'embedded, distribution3, zot', '1.00 (0.50–3.00)', ''],
    ['push', '32 × 20 MiB', '50 ms', 's', 'zot', '', '0.50'],
  ]);
});

test('all lines of a table are equally wide, and figures stand at the right', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.string({ maxLength: 12 }).filter((text) => !/[\n|\\]/.test(text)),
          fc.double(),
        ),
        {
          minLength: 1,
        },
      ),
      (rows) => {
        const finite = rows.map(([text, value]) => [text, Number.isFinite(value) ? value : 0]);
        const lines = markdownTable({ head: ['name', 'value'], rows: finite })
          .trimEnd()
          .split('\n');
        expect(new Set(lines.map((line) => line.length)).size).toBe(1);
        expect(lines).toHaveLength(rows.length + 2);
        expect(lines[1]).toMatch(/-: \|$/);
      },
    ),
  );
});

test('a column in which nobody has anything is left out', () => {
  const table = { head: ['a', 'b', 'c'], rows: [['x', '', 0] as const, ['', '', 1] as const] };
  expect(withoutEmptyColumns(table)).toEqual({
    head: ['a', 'c'],
    rows: [
      ['x', 0],
      ['', 1],
    ],
  });
});

test('what has one point only is no line', async () => {
  const { newest } = await reportOf([suiteFile('2026-11-01T10:00:00.000Z', 'a'.repeat(40))]);
  const pushes = newest.filter(({ task, roundTripMs }) => task === 'push' && roundTripMs !== undefined);
  const several = withSeveral(
    pushes,
    ({ registry = '' }) => registry,
    ({ roundTripMs }) => roundTripMs,
  );
  expect(new Set(several.map(({ registry }) => registry))).toEqual(new Set(['docker-registry']));
});

test('of two runs the newer figures are shown, whatever the order of their files', async () => {
  const earlier = suiteFile('2026-11-01T10:00:00.000Z', 'a'.repeat(40), 3);
  const later = suiteFile('2026-11-02T10:00:00.000Z', 'b'.repeat(40));
  // A short run, which moves fewer objects.
  const short = {
    ...later,
    results: later.results.map((one) => ({ ...one, ...(one.objects === 32 && { objects: 4 }) })),
  };
  const { newest, pictures } = await reportOf([short, earlier]);
  expect(new Set(newest.map(({ commit }) => commit))).toEqual(new Set(['bbbbbbbb']));
  expect(pictures.has('history')).toBe(true);
  expect((await reportOf([earlier, short])).html).toBe((await reportOf([short, earlier])).html);
});

test('the same program has the same colour in all plots, and no two of a plot share one', () => {
  const all = ['ours', 'oras', 'crane', 'regctl', 'skopeo', 'restic, rclone'];
  expect(new Set(coloursOf(all)).size).toBe(all.length);
  expect(coloursOf(['crane', 'native', 'ours'])).toEqual([
    ...coloursOf(['crane']),
    expect.any(String),
    coloursOf(['ours'])[0],
  ]);
  expect(new Set(coloursOf(['ours', 'oras', 'native', 'wasm'])).size).toBe(4);
});

test('known names stand in their order, others behind them as they came', () => {
  expect(orderOf(['x', 'zot', 'pull', 'a', 'push', 'zot', 'embedded'])).toEqual([
    'push',
    'pull',
    'embedded',
    'zot',
    'x',
    'a',
  ]);
});

test('every part of a page has its figures', async () => {
  const file = suiteFile('2026-11-01T10:00:00.000Z', 'a'.repeat(40));
  const blocks = blocksOf(file, (await reportOf([file])).newest);
  for (const [name, text] of blocks) expect(text, name).not.toMatch(/none of these|NaN|undefined/);
  expect(
    blocks
      .get('transfers')
      ?.split('\n')
      .filter((line) => /\| ours +\|/.test(line)),
  ).toHaveLength(8);
});
