/** Objects of 64 KiB, as a backup of small files makes them: requests decide. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bufferSource } from '../../../src/engine/bufferSource.ts';
import { openOciStore } from '../../../src/store/openStore.ts';
import { planPush } from '../../../src/store/pushItems.ts';
import { runAll } from '../../../src/store/runAll.ts';
import { pushAll } from '../../../src/store/transfer.ts';
import { macOf, noise } from '../bytes.ts';
import { takeCounts } from '../counters.ts';
import type { Scenario } from '../scenario.ts';

const OBJECTS = 200;
const LOCKS = 20;

const scenario: Scenario = async ({ address, folder }) => {
  const open = openOciStore(`oci://${address}/guard/small`, { looksBeforePut: false });
  const total = () => Object.values(open.stats().requests).reduce((sum, count) => sum + count, 0);
  try {
    const numbers = Array.from({ length: OBJECTS }, (_, i) => i);
    // The first one pays for what all share.
    const put = async (i: number) => {
      await open.store.put({ type: 'packfile', mac: macOf(i) }, bufferSource(noise(i, 65_536), macOf(i)));
    };
    await put(OBJECTS);
    let before = total();
    await runAll(numbers, {}, put);
    const perPut = (total() - before) / OBJECTS;

    before = total();
    takeCounts();
    let listed = 0;
    for await (const _ of open.store.list('packfile')) listed++;
    const lists = total() - before;
    const { parsed } = takeCounts();

    before = total();
    for (let i = 0; i < LOCKS; i++)
      await open.store.put({ type: 'lock', mac: macOf(1) }, bufferSource(noise(i, 200), 'lock'));
    const perLock = (total() - before) / LOCKS;

    before = total();
    await open.store.delete({ type: 'lock', mac: macOf(1) });
    const perDeletedLock = total() - before;

    for (const i of numbers) await writeFile(join(folder, macOf(2 * OBJECTS + i)), noise(i, 65_536));
    const plan = await planPush([folder]);
    takeCounts();
    await pushAll(plan, open.store);
    const { opened } = takeCounts();

    before = total();
    await runAll(numbers, {}, (i) => open.store.delete({ type: 'packfile', mac: macOf(i) }));
    return {
      'requests per put': perPut,
      'requests per refreshed lock': perLock,
      'requests per deleted lock': perDeletedLock,
      'requests per delete': (total() - before) / OBJECTS,
      'requests per list': lists,
      'parsed per list': parsed,
      'objects listed': listed,
      'files opened per file': opened / OBJECTS,
    };
  } finally {
    await open.close();
  }
};

export default scenario;
