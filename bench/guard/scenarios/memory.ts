/** More than memory may hold, at once: what is held is bounded by the budget and not by the speed of the sources. */
import { openOciStore } from '../../../src/store/openStore.ts';
import { runAll } from '../../../src/store/runAll.ts';
import { startNullRegistry } from '../../../test/support/startNullRegistry.ts';
import { macOf, madeSource } from '../bytes.ts';
import type { Scenario } from '../scenario.ts';

const MIB = 1024 * 1024;
const OBJECTS = 40;
const OBJECT_BYTES = 24 * MIB;
const MEMORY_BYTES = 128 * MIB;

const scenario: Scenario = async () => {
  // It takes what comes and keeps nothing.
  const registry = await startNullRegistry();
  const open = openOciStore(`oci://${registry.address}/guard/memory`, {
    memoryBytes: MEMORY_BYTES,
    concurrency: OBJECTS,
    looksBeforePut: false,
  });
  try {
    const numbers = Array.from({ length: OBJECTS }, (_, i) => i);
    await open.coordinator.hasher.provider();
    const idle = process.memoryUsage.rss();
    await runAll(numbers, { concurrency: OBJECTS }, async (i) => {
      await open.store.put({ type: 'packfile', mac: macOf(i) }, madeSource(macOf(i), OBJECT_BYTES, true));
    });
    const peak = process.resourceUsage().maxRSS * 1024;
    return {
      'peak above idle per budget': (peak - idle) / MEMORY_BYTES,
      'payload memory per budget': open.coordinator.peakPayloadBytes / MEMORY_BYTES,
    };
  } finally {
    await open.close();
    await registry.stop();
  }
};

export default scenario;
