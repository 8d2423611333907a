/** Objects from memory, whole or piece by piece, as from Plakar: one copy into shared memory, none after it. */
import { bufferSource } from '../../../src/engine/bufferSource.ts';
import { openOciStore } from '../../../src/store/openStore.ts';
import { macOf, noise } from '../bytes.ts';
import { takeCounts } from '../counters.ts';
import type { Scenario } from '../scenario.ts';

const OBJECTS = 4;
const OBJECT_BYTES = 16 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

const scenario: Scenario = async ({ address }) => {
  const open = openOciStore(`oci://${address}/guard/arriving`, { looksBeforePut: false });
  try {
    await open.coordinator.hasher.provider();
    const content = noise(1, OBJECT_BYTES);
    takeCounts();
    for (let i = 0; i < OBJECTS; i++) {
      const object = open.coordinator.receive();
      for (let at = 0; at < content.length; at += PIECE_BYTES) {
        while (object.roomBytes < PIECE_BYTES) await object.grow();
        object.write(content.subarray(at, at + PIECE_BYTES));
      }
      await open.store.put({ type: 'packfile', mac: macOf(i) }, object.finish(macOf(i)));
    }
    const pieces = takeCounts();
    for (let i = 0; i < OBJECTS; i++) {
      const mac = macOf(OBJECTS + i);
      await open.store.put({ type: 'packfile', mac }, bufferSource(content, mac));
    }
    const whole = takeCounts();
    const bytes = OBJECTS * OBJECT_BYTES;
    return {
      'copied per byte': pieces.copied / bytes,
      'whole: copied per byte': whole.copied / bytes,
      'hashed on the main thread per byte': (pieces.hashed + whole.hashed) / bytes,
    };
  } finally {
    await open.close();
  }
};

export default scenario;
