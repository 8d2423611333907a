/** A page about results of the benchmarks: `npm run bench:report -- --help`. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readKept } from './report/kept.ts';
import { asPicture } from './report/picture.ts';
import { reportOf } from './report/report.ts';
import { writeDocs } from './report/writeDocs.ts';
import { flagLines } from './suite/flags.ts';
import { resultsTable } from './suite/markdown.ts';
import { readSuiteFile } from './suite/schema.ts';

const FLAGS = {
  out: { type: 'string', default: 'report.html', means: 'where the page goes' },
  pictures: { type: 'string', means: 'a folder for each plot as a file of its own' },
  only: { type: 'string', means: 'names of the plots that go there (all)' },
  markdown: { type: 'string', means: 'where the figures go as a table' },
  'write-docs': { type: 'boolean', means: 'writes the pictures and tables of README and docs/benchmarks.md' },
  help: { type: 'boolean', means: 'this text' },
} as const;
const { values, positionals } = parseArgs({ allowPositionals: true, options: FLAGS });
if (values.help) {
  console.log('npm run bench:report -- [flags] [files of results]\n');
  console.log(`Without files: the recordings of bench/results/kept.\n\n${flagLines(FLAGS)}`);
  process.exit(0);
}
const files =
  positionals.length === 0
    ? await readKept()
    : await Promise.all(positionals.map(async (path) => readSuiteFile(await readFile(path, 'utf8'), path)));
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
if (values['write-docs']) await writeDocs(files);
