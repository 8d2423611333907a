/** The recordings that are part of the repository, from which its pages are made. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSuiteFile, type SuiteFile } from '../suite/schema.ts';

const FOLDER = join(import.meta.dirname, '..', 'results', 'kept');

/** Where a recording is kept. */
export function keptFile({ date, git }: SuiteFile): string {
  return join(FOLDER, `${date.slice(0, 16).replace(':', '')}-${git.commit.slice(0, 8)}.json`);
}

/** All of them, the oldest first. */
export async function readKept(): Promise<SuiteFile[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).sort();
  return await Promise.all(
    names.map(async (name) => readSuiteFile(await readFile(join(FOLDER, name), 'utf8'), name)),
  );
}
