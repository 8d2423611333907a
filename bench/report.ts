/**
 * A page about results of the benchmarks: `npm run bench:report -- results/*.json --out report.html`. With
 * `--pictures FOLDER` each chart is also a file of its own, or those that `--only NAME,NAME` names; with
 * `--markdown FILE` the figures are a table, too.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asPicture } from './report/picture.ts';
import { reportOf } from './report/report.ts';
import { resultsTable } from './suite/markdown.ts';
import { readSuiteFile } from './suite/schema.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'report.html' },
    pictures: { type: 'string' },
    only: { type: 'string' },
    markdown: { type: 'string' },
  },
});
if (positionals.length === 0) throw new Error('name the files of results');
const files = await Promise.all(
  positionals.map(async (path) => readSuiteFile(await readFile(path, 'utf8'), path)),
);
const { html, pictures, newest } = await reportOf(files);
await writeFile(values.out, html);
console.error(
  `${values.out}: ${pictures.size} charts of ${files.length} runs (${[...pictures.keys()].join(', ')})`,
);
if (values.markdown) await writeFile(values.markdown, resultsTable(newest));
if (values.pictures) {
  await mkdir(values.pictures, { recursive: true });
  const only = values.only?.split(',') ?? [...pictures.keys()];
  for (const name of only) {
    const picture = pictures.get(name);
    if (!picture) throw new Error(`these results have no chart ${name}`);
    await writeFile(join(values.pictures, `${name}.svg`), asPicture(picture.svg));
  }
}
