/** Packfiles pulled into files: read into windows, hashed and written by the hash threads. */
import { join } from 'node:path';
import { bufferSource } from '../../../src/engine/bufferSource.ts';
import { DirectoryStore } from '../../../src/store/directoryStore.ts';
import { openOciStore } from '../../../src/store/openStore.ts';
import { pullAll } from '../../../src/store/transfer.ts';
import { macOf, noise } from '../bytes.ts';
import { takeCounts } from '../counters.ts';
import type { Scenario } from '../scenario.ts';

const FILES = 6;
const FILE_BYTES = 12 * 1024 * 1024;

const scenario: Scenario = async ({ address, folder }) => {
  const location = `oci://${address}/guard/pull`;
  const writer = openOciStore(location);
  await writer.store.create(noise(99, 100));
  for (let i = 0; i < FILES; i++)
    await writer.store.put({ type: 'packfile', mac: macOf(i) }, bufferSource(noise(i, FILE_BYTES), macOf(i)));
  await writer.close();

  const open = openOciStore(location);
  try {
    takeCounts();
    await pullAll(open.store, new DirectoryStore(join(folder, 'store')));
    const { copied, allocated, hashed } = takeCounts();
    const bytes = FILES * FILE_BYTES;
    const { requests } = open.stats();
    return {
      'copied per byte': copied / bytes,
      'allocated per byte': allocated / bytes,
      'hashed on the main thread per byte': hashed / bytes,
      'requests per object': ((requests['manifest-read'] ?? 0) + (requests['blob-read'] ?? 0)) / FILES,
      'window memory per byte': open.coordinator.windows.budget.peakBytes / bytes,
    };
  } finally {
    await open.close();
  }
};

export default scenario;
