/** Files of a packfile's length, hashed beforehand and sent in one body each, and the same in chunks. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openOciStore } from '../../../src/store/openStore.ts';
import { planPush } from '../../../src/store/pushItems.ts';
import { pushAll } from '../../../src/store/transfer.ts';
import { macOf, noise } from '../bytes.ts';
import { takeCounts } from '../counters.ts';
import type { Figures, Scenario } from '../scenario.ts';

const FILES = 6;
const FILE_BYTES = 12 * 1024 * 1024;

const scenario: Scenario = async ({ address, folder }) => {
  for (let i = 0; i < FILES; i++) await writeFile(join(folder, macOf(i)), noise(i, FILE_BYTES));
  return {
    ...(await push('whole', address, folder, {})),
    ...(await push('chunked', address, folder, { uploadMode: 'chunked', chunkBytes: 4 * 1024 * 1024 })),
  };
};

async function push(form: string, address: string, folder: string, options: object): Promise<Figures> {
  const open = openOciStore(`oci://${address}/guard/files-${form}`, options);
  try {
    const plan = await planPush([folder]);
    takeCounts();
    await pushAll(plan, open.store);
    const { copied, allocated, hashed } = takeCounts();
    const bytes = FILES * FILE_BYTES;
    const { requests } = open.stats();
    // What belongs to the push and not to an object: the tag list and the configuration blob.
    const { 'tag-list': lists = 0, 'blob-head': heads = 0, ...perObject } = requests;
    return {
      [`${form}: copied per byte`]: copied / bytes,
      [`${form}: allocated per byte`]: allocated / bytes,
      [`${form}: hashed on the main thread per byte`]: hashed / bytes,
      [`${form}: requests per object`]: sum(perObject) / FILES,
      [`${form}: requests per push`]: lists + heads,
    };
  } finally {
    await open.close();
  }
}

function sum(requests: Readonly<Record<string, number>>): number {
  return Object.values(requests).reduce((total, count) => total + count, 0);
}

export default scenario;
