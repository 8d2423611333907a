/** Packfiles read in pieces, as a restore does it: through the cache, from a registry. */
import { bufferSource } from '../../../src/engine/bufferSource.ts';
import { CachedStore } from '../../../src/store/cachedStore.ts';
import { openOciStore } from '../../../src/store/openStore.ts';
import { macOf, noise } from '../bytes.ts';
import { takeCounts } from '../counters.ts';
import type { Scenario } from '../scenario.ts';

const PACKFILES = 6;
const PACKFILE_BYTES = 6 * 1024 * 1024;
const READ_BYTES = 48 * 1024;

const scenario: Scenario = async ({ address }) => {
  const location = `oci://${address}/guard/reads`;
  const writer = openOciStore(location);
  for (let i = 0; i < PACKFILES; i++)
    await writer.store.put(
      { type: 'packfile', mac: macOf(i) },
      bufferSource(noise(i, PACKFILE_BYTES), macOf(i)),
    );
  await writer.close();

  const open = openOciStore(location);
  const cached = new CachedStore(open.store);
  const restore = async () => {
    for (let i = 0; i < PACKFILES; i++) {
      for (let offset = 0; offset < PACKFILE_BYTES; offset += READ_BYTES) {
        const length = Math.min(READ_BYTES, PACKFILE_BYTES - offset);
        const { stream } = await cached.get(
          { type: 'packfile', mac: macOf(i) },
          { range: { offset, length } },
        );
        for await (const _ of stream);
      }
    }
  };
  try {
    takeCounts();
    await restore();
    const { copied, allocated } = takeCounts();
    const { requests } = open.stats();
    await restore();
    const again = open.stats().requests;
    const bytes = PACKFILES * PACKFILE_BYTES;
    return {
      'copied per byte': copied / bytes,
      'allocated per byte': allocated / bytes,
      'manifest requests per object': (requests['manifest-read'] ?? 0) / PACKFILES,
      'blob requests per MiB': (requests['blob-read'] ?? 0) / (bytes / 1024 ** 2),
      // 36 MiB lie in the cache of 64 MiB.
      'requests of reading it again': total(again) - total(requests),
    };
  } finally {
    await cached.close();
    await open.close();
  }
};

function total(requests: Readonly<Record<string, number>>): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

export default scenario;
