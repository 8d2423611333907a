/** A realistic folder tree, the same in every run, and the comparison of two trees. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { seededBytes, seededText } from './seededBytes.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

export interface TreeSummary {
  files: number;
  bytes: number;
}

type Put = (folder: string, name: string, content: Buffer | string) => Promise<void>;

/** Writes 203 MiB in 461 files: media of all sizes, logs, many small files, an empty one, odd names. */
export function writeTree(root: string): Promise<TreeSummary> {
  return write(root, async (put) => {
    for (let i = 0; i < 3; i++) await put('video', `clip-${i}.bin`, seededBytes(1000 + i, 30 * MIB + i));
    for (let i = 0; i < 80; i++)
      await put(`photos/album-${i % 7}`, `${i}.bin`, seededBytes(i, (200 + i * 23) * KIB + i));
    for (let i = 0; i < 75; i++) await put('logs', `day-${i}.log`, seededText(i, (50 + (i % 10) * 20) * KIB));
    for (let i = 0; i < 300; i++)
      await put(`notes/${i % 20}`, `note ${i} ü.txt`, seededText(500 + i, 40 + i * 13));
    for (let i = 0; i < 2; i++) await put('same', `copy-${i}.bin`, seededBytes(7, 8 * MIB));
    await put('notes', 'empty', '');
  });
}

/** Writes 9 MiB in 90 files of the same kinds. A different seed gives different bytes under the same names. */
export function writeSmallTree(root: string, seed = 0): Promise<TreeSummary> {
  return write(root, async (put) => {
    await put('video', 'clip.bin', seededBytes(seed + 1, 5 * MIB + 1));
    for (let i = 0; i < 18; i++)
      await put(`photos/album-${i % 3}`, `${i}.bin`, seededBytes(seed + 10 + i, (30 + i * 20) * KIB + i));
    for (let i = 0; i < 10; i++) await put('logs', `day-${i}.log`, seededText(seed + i, 40 * KIB));
    for (let i = 0; i < 60; i++)
      await put(`notes/${i % 6}`, `note ${i} ü.txt`, seededText(seed + 500 + i, 40 + i * 13));
    await put('notes', 'empty', '');
  });
}

async function write(root: string, fill: (put: Put) => Promise<void>): Promise<TreeSummary> {
  const summary = { files: 0, bytes: 0 };
  await fill(async (folder, name, content) => {
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, folder, name), content);
    summary.files++;
    summary.bytes += Buffer.byteLength(content);
  });
  return summary;
}

/** What differs between two trees, as lines; empty when every file is there with the same bytes. */
export async function compareTrees(expected: string, actual: string): Promise<string[]> {
  const [left, right] = await Promise.all([digests(expected), digests(actual)]);
  const differences: string[] = [];
  for (const [path, digest] of left) {
    const other = right.get(path);
    if (other === undefined) differences.push(`missing: ${path}`);
    else if (other !== digest) differences.push(`differs: ${path}`);
  }
  for (const path of right.keys()) if (!left.has(path)) differences.push(`unexpected: ${path}`);
  return differences;
}

async function digests(root: string): Promise<Map<string, string>> {
  const result = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    result.set(relative(root, path), hash.digest('hex'));
  }
  return result;
}
