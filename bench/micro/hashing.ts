/** Hashing by both providers over more and more lanes, and the memory that chunks lie in meanwhile. */
import { availableParallelism } from 'node:os';
import { Hasher } from '../../src/workers/hasher.ts';
import { SlabPool } from '../../src/workers/slabs.ts';
import { type MicroRun, medianMs } from './measure.ts';

const MIB = 1024 * 1024;
const HASHED_BYTES = 16 * MIB;
const SEGMENT_BYTES = 256 * 1024;
/** Calls of one sample, since one takes less than a clock tells. */
const CALLS = 10;

export async function measureHashing(run: MicroRun): Promise<void> {
  for (const provider of ['native', 'wasm'] as const) {
    for (const lanes of run.quick ? [1, 2] : [1, 2, 4, 8]) {
      const hasher = new Hasher({ choice: provider, threads: Math.min(lanes, availableParallelism()) });
      const slabs = new SlabPool(lanes * HASHED_BYTES, HASHED_BYTES);
      const held = await Promise.all(Array.from({ length: lanes }, () => slabs.acquire(HASHED_BYTES)));
      const digestAll = () => Promise.all(held.map((slab) => hasher.digest(slab.slices(HASHED_BYTES))));
      for (const ms of await medianMs(run, digestAll))
        run.collector.add(
          { task: 'hash', contestant: provider, objectBytes: HASHED_BYTES, concurrency: lanes },
          'MiB/s',
          (lanes * HASHED_BYTES) / MIB / (ms / 1000),
        );
      await hasher.close();
    }
  }
}

/** A slab of 16 MiB taken and given back, beside a buffer of as many bytes, which the system has to clear. */
export async function measureSlabs(run: MicroRun): Promise<void> {
  const pool = new SlabPool(4 * HASHED_BYTES, SEGMENT_BYTES);
  const ways = {
    ours: async () => {
      const slab = await pool.acquire(HASHED_BYTES);
      slab.views(HASHED_BYTES);
      slab.release();
    },
    'a new buffer': async () => {
      new Uint8Array(HASHED_BYTES);
    },
  };
  for (const [contestant, way] of Object.entries(ways)) {
    const many = async () => {
      for (let i = 0; i < CALLS; i++) await way();
    };
    for (const ms of await medianMs(run, many))
      run.collector.add({ task: 'memory for 16 MiB', contestant }, 'ops/s', (CALLS / ms) * 1000);
  }
}
