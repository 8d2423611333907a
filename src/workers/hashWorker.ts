/** Runs in the worker threads of the hash pool. Synchronous work only: Piscina parks the thread between tasks. */
import { createHash, type Hash } from 'node:crypto';
import type { IHasher } from 'hash-wasm';
import { type HashProvider, type HashResult, type HashTask, LANE_LOST } from './hashTasks.ts';
import type { SharedSlice } from './slabs.ts';

const MEASURE_ROUNDS = 4;

const lanes = new Map<number, Hash>();
let wasm: Promise<IHasher> | undefined;

/** One hasher for all tasks: its state is loaded and saved around each. */
function wasmHasher(): Promise<IHasher> {
  wasm ??= import('hash-wasm').then(({ createSHA256 }) => createSHA256());
  return wasm;
}

function updateAll(hash: { update(data: Uint8Array): unknown }, slices: readonly SharedSlice[]): void {
  for (const { shared, offset, length } of slices) hash.update(new Uint8Array(shared, offset, length));
}

async function digest(provider: HashProvider, slices: readonly SharedSlice[]): Promise<string> {
  if (provider === 'native') {
    const hash = createHash('sha256');
    updateAll(hash, slices);
    return hash.digest('hex');
  }
  const hasher = (await wasmHasher()).init();
  updateAll(hasher, slices);
  return hasher.digest('hex');
}

async function measure(provider: HashProvider, bytes: number): Promise<number> {
  const slices = [{ shared: new SharedArrayBuffer(bytes), offset: 0, length: bytes }];
  // The first run pays for loading and compiling. Of the others the shortest counts: on a busy machine any of them
  // may be interrupted, and a single sample has once chosen the provider that is seven times slower.
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= MEASURE_ROUNDS; round++) {
    const startedMs = performance.now();
    await digest(provider, slices);
    if (round > 0) bestMs = Math.min(bestMs, performance.now() - startedMs);
  }
  return bestMs;
}

export default async function run(task: HashTask): Promise<HashResult> {
  switch (task.op) {
    case 'digest':
      return digest(task.provider, task.slices);
    case 'chain': {
      const hasher = (await wasmHasher()).init();
      if (task.state) hasher.load(task.state);
      updateAll(hasher, task.slices);
      return hasher.save();
    }
    case 'finish': {
      const hasher = (await wasmHasher()).init();
      if (task.state) hasher.load(task.state);
      return hasher.digest('hex');
    }
    case 'lane-update': {
      if (task.first) lanes.set(task.lane, createHash('sha256'));
      const hash = lanes.get(task.lane);
      if (!hash) throw new Error(LANE_LOST);
      updateAll(hash, task.slices);
      return undefined;
    }
    case 'lane-digest': {
      const hash = lanes.get(task.lane);
      if (!hash) throw new Error(LANE_LOST);
      lanes.delete(task.lane);
      return hash.digest('hex');
    }
    case 'lane-drop':
      lanes.delete(task.lane);
      return undefined;
    case 'measure':
      return measure(task.provider, task.bytes);
    case 'crash':
      process.exit(1);
  }
}
