import { createHash } from 'node:crypto';
import { bufferSource } from '../engine/bufferSource.ts';
import { DirectoryStore } from './directoryStore.ts';
import { type Noise, noiseFrom } from './noise.ts';
import type { ObjectType } from './objectNames.ts';

const MIB = 1024 * 1024;

/** What was written. */
export interface SyntheticStore {
  readonly store: DirectoryStore;
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Writes a Kloset store as a backup leaves it, the same for the same seed: packfiles of 4 to 64 MiB that no
 * compression shrinks, some states, a configuration. plakar cannot open it: there is no key.
 *
 * @param totalBytes length of all packfiles together
 */
export async function writeSyntheticStore(
  directory: string,
  options: { totalBytes?: number; seed?: string } = {},
): Promise<SyntheticStore> {
  const { totalBytes = 256 * MIB, seed = 'kloset-oci' } = options;
  const noise = noiseFrom(seed);
  const store = new DirectoryStore(directory);
  await store.create(noise(663));
  let objects = 0;
  let bytes = 0;
  const put = async (type: ObjectType, content: Uint8Array) => {
    const mac = createHash('sha256').update(content).digest('hex');
    await store.put({ type, mac }, bufferSource(content, mac));
    objects++;
    bytes += content.length;
  };
  for (const size of packfileSizes(totalBytes, noise)) await put('packfile', noise(size));
  for (let at = 0; at < 5; at++)
    await put('state', noise(1024 + (Buffer.from(noise(4)).readUInt32LE() % (200 * 1024))));
  return { store, objects, bytes };
}

function packfileSizes(totalBytes: number, noise: Noise): number[] {
  const sizes: number[] = [];
  for (let rest = totalBytes; rest > 0; ) {
    const wanted = 4 * MIB + (Buffer.from(noise(4)).readUInt32LE() % (60 * MIB + 1));
    // A rest below the smallest packfile goes into the last one.
    const size = rest - wanted < 4 * MIB ? Math.min(rest, 64 * MIB) : wanted;
    sizes.push(size);
    rest -= size;
  }
  return sizes;
}
