/** Pictures and tables of the repository's pages, made from the newest recording. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SuiteFile } from '../suite/schema.ts';
import { blocksOf } from './blocks.ts';
import { asPicture } from './picture.ts';
import { reportOf } from './report.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGES = ['README.md', 'docs/benchmarks.md'];
/** The pictures that the pages show. */
const PICTURES = ['throughput', 'round-trip', 'restore'];

/**
 * The files that a recording makes, by their paths from the root of the repository. Pages keep what stands between
 * their blocks.
 *
 * @param kept the recordings; the pages show the newest one
 * @throws Error where it lacks a picture or a page has a block that nobody knows
 */
export async function docsOf(kept: readonly SuiteFile[]): Promise<Map<string, string>> {
  const newest = kept.at(-1);
  if (!newest) throw new Error('there is no recording: npm run bench:record');
  const { pictures, newest: rows } = await reportOf([newest]);
  const files = new Map<string, string>();
  for (const name of PICTURES) {
    const picture = pictures.get(name);
    if (!picture) throw new Error(`the recording has no figures for the picture ${name}`);
    files.set(`docs/images/bench-${name}.svg`, asPicture(picture.svg));
  }
  const blocks = blocksOf(newest, rows);
  for (const page of PAGES) files.set(page, filled(await readFile(join(ROOT, page), 'utf8'), blocks, page));
  return files;
}

export async function writeDocs(kept: readonly SuiteFile[]): Promise<void> {
  for (const [path, text] of await docsOf(kept)) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true });
    await writeFile(join(ROOT, path), text);
    console.error(path);
  }
}

/** A page with what stands between `<!-- bench:NAME -->` and `<!-- /bench -->` replaced. */
function filled(page: string, blocks: ReadonlyMap<string, string>, name: string): string {
  return page.replace(/<!-- bench:([\w-]+) -->\n[\s\S]*?<!-- \/bench -->/g, (_, block: string) => {
    const text = blocks.get(block);
    if (text === undefined) throw new Error(`${name}: there is no block ${block}`);
    return `<!-- bench:${block} -->\n\n${text.trimEnd()}\n\n<!-- /bench -->`;
  });
}
