/** How much is under way at once, seen by a registry that answers nobody until enough have come. */
import { startRegistry } from '../../../src/emulator/index.ts';
import { bufferSource } from '../../../src/engine/bufferSource.ts';
import { openOciStore } from '../../../src/store/openStore.ts';
import { runAll } from '../../../src/store/runAll.ts';
import { macOf, madeSource, noise } from '../bytes.ts';
import type { Figures, Scenario } from '../scenario.ts';

const ENOUGH = 16;
/** Who is alone would wait for ever: after this long the registry goes on. It is waited for only when the guard fails. */
const PATIENCE_MS = 1500;
const MIB = 1024 * 1024;

const scenario: Scenario = async () => ({ ...(await objectsAtOnce()), ...(await chunkAhead()) });

async function objectsAtOnce(): Promise<Figures> {
  let waiting = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  const registry = await startRegistry();
  const open = openOciStore(`oci://${registry.address}/guard/parallel`, { looksBeforePut: false });
  try {
    const put = async (i: number) => {
      await open.store.put({ type: 'packfile', mac: macOf(i) }, bufferSource(noise(i, 2 * MIB), macOf(i)));
    };
    // The first one finds out what the registry can, and all others wait for that.
    await put(0);
    registry.setFaults({
      before: ({ route, method }) => {
        if (route !== 'upload-start' || method !== 'POST') return undefined;
        most = Math.max(most, ++waiting);
        if (waiting >= ENOUGH) gate.resolve();
        return { kind: 'hold', until: gate.promise.then(() => waiting--) };
      },
    });
    const timer = setTimeout(gate.resolve, PATIENCE_MS);
    const numbers = Array.from({ length: 2 * ENOUGH }, (_, i) => i + 1);
    await runAll(numbers, { concurrency: 2 * ENOUGH }, put);
    clearTimeout(timer);
    return { 'uploads at once': most };
  } finally {
    await open.close();
    await registry.close();
  }
}

/** Whether the next chunk of a stream is read while the registry still takes the one before. */
async function chunkAhead(): Promise<Figures> {
  const gate = Promise.withResolvers<void>();
  let ahead = 0;
  const registry = await startRegistry({
    faults: {
      before: ({ method }) => (method === 'PATCH' ? { kind: 'hold', until: gate.promise } : undefined),
    },
  });
  const source = madeSource('stream', 24 * MIB, false);
  const timer = setTimeout(gate.resolve, PATIENCE_MS);
  const open = openOciStore(`oci://${registry.address}/guard/ahead`, {
    uploadMode: 'chunked',
    chunkBytes: 4 * MIB,
    looksBeforePut: false,
  });
  try {
    const watched = {
      ...source,
      sizeBytes: undefined,
      open: async () => {
        const reader = await source.open();
        return {
          ...reader,
          read: (into: Uint8Array, position: number) => {
            if (position >= 4 * MIB && registry.countRequests({ method: 'PATCH' }) <= 1) {
              ahead = 1;
              gate.resolve();
            }
            return reader.read(into, position);
          },
        };
      },
    };
    await open.store.put({ type: 'packfile', mac: macOf(1) }, watched);
    return { 'chunks read while another is sent': ahead };
  } finally {
    clearTimeout(timer);
    await open.close();
    await registry.close();
  }
}

export default scenario;
