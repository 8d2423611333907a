/** The trees whose backups are read while traces are recorded; the same in every run. */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { seededBytes, seededText } from '../../test/support/seededBytes.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

export interface TraceTree {
  readonly name: string;
  write(root: string): Promise<void>;
  /** A file of the tree that `cat` is traced with. */
  readonly catFile: string;
  /** A folder of the tree that a partial restore is traced with. */
  readonly folder: string;
}

async function put(root: string, path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

/** Numbers of 0 to 1 that follow from the seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** 320 MiB in 14 files: disk images and video. */
const big: TraceTree = {
  name: 'big',
  catFile: 'images/3.img',
  folder: 'video',
  async write(root) {
    for (let i = 0; i < 6; i++) await put(root, `images/${i}.img`, seededBytes(100 + i, 16 * MIB + i * 77));
    for (let i = 0; i < 8; i++) await put(root, `video/${i}.bin`, seededBytes(200 + i, 28 * MIB + i * 333));
  },
};

/** Media, logs, sources and one file of 16 MiB, in the proportions of a home folder; 531 MiB are 3,000 files. */
export function mixedTree(name: string, mebibytes: number): TraceTree {
  const share = mebibytes / 531;
  return {
    name,
    catFile: 'media/large.bin',
    folder: 'projects/7',
    async write(root) {
      const random = numbers(1);
      const total = mebibytes * MIB;
      let bytes = 0;
      const add = async (path: string, content: Uint8Array | string) => {
        bytes += Buffer.byteLength(content);
        await put(root, path, content);
      };
      await add('media/large.bin', seededBytes(1, 16 * MIB));
      for (let i = 0; i < 2500 * share; i++) {
        const size = Math.floor(200 + random() ** 3 * 60 * KIB);
        await add(`projects/${i % 23}/src/${i % 7}/file ${i}.txt`, seededText(i, size));
      }
      for (let i = 0; i < 60 * share; i++)
        await add(`logs/${i}.log`, seededText(10_000 + i, (200 + i * 20) * KIB));
      for (let i = 0; bytes < total; i++) {
        const size = Math.floor(Math.min(total - bytes + 1, (0.1 + random() ** 4 * 24) * MIB));
        await add(`media/${i % 11}/${i}.bin`, seededBytes(20_000 + i, size));
      }
    },
  };
}

const mixed = mixedTree('mixed', 531);

/** 5,000 files of 100 bytes to 24 KiB. */
const small: TraceTree = {
  name: 'small',
  catFile: 'a3/b5/533.txt',
  folder: 'a4',
  async write(root) {
    const random = numbers(2);
    for (let i = 0; i < 5000; i++) {
      const size = Math.floor(100 + random() ** 3 * 24 * KIB);
      const content = i % 3 === 0 ? seededBytes(i, size) : seededText(i, size);
      await put(root, `a${i % 10}/b${Math.floor(i / 10) % 12}/${i}.txt`, content);
    }
  },
};

export const TREES: readonly TraceTree[] = [big, mixed, small];

/** Changes what a day changes: some files grow, some are new, one goes. */
export async function changeTree(tree: TraceTree, root: string): Promise<void> {
  for (let i = 0; i < 20; i++) await put(root, `new/${i}.bin`, seededBytes(90_000 + i, 50 * KIB * (i + 1)));
  await appendFile(join(root, tree.catFile), seededBytes(90_100, 100 * KIB));
  await rm(join(root, 'new', '3.bin'));
}
