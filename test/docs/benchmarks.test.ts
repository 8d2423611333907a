/** The figures in README and docs/benchmarks.md are those of the newest recording, and of nothing else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readKept } from '../../bench/report/kept.ts';
import { docsOf } from '../../bench/report/writeDocs.ts';

const ROOT = join(import.meta.dirname, '..', '..');

test('pages and pictures are made from the newest recording: npm run bench:report -- --write-docs', async () => {
  const made = await docsOf(await readKept());
  expect([...made.keys()].filter((path) => path.endsWith('.svg'))).toHaveLength(3);
  for (const [path, text] of made) expect(await readFile(join(ROOT, path), 'utf8'), path).toBe(text);
});

test('README shows each picture', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  for (const path of (await docsOf(await readKept())).keys())
    if (path.endsWith('.svg')) expect(readme).toContain(`](${path})`);
});

test('a recording names no machine, no folder and no person', async () => {
  for (const file of await readKept()) {
    expect(JSON.stringify(file)).not.toMatch(/\/(home|tmp|root|work|dev)\b|@/);
    expect(Object.keys(file.machine).sort()).toEqual(
      ['cores', 'cpu', 'loadAverage', 'memoryBytes', 'platform', 'storage'].sort(),
    );
  }
});
