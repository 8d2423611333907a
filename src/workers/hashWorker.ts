/** Runs in the worker threads of the hash pool. Synchronous work only: Piscina parks the thread between tasks. */
import { createHash, type Hash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import type { IHasher } from 'hash-wasm';
import {
  type FilePlace,
  type FileRange,
  type HashInput,
  type HashProvider,
  type HashResult,
  type HashTask,
  LANE_LOST,
} from './hashTasks.ts';
import type { SharedSlice } from './slabs.ts';

const MEASURE_ROUNDS = 4;
// What a core's own cache holds: read from the page cache into 256 KiB, hashed there, a gigabyte costs a third of the
// system time that it costs through 1 MiB.
const READ_BYTES = 256 * 1024;

const lanes = new Map<number, Hash>();
let wasm: Promise<IHasher> | undefined;
let readBuffer: Uint8Array | undefined;

/** A file that cannot be hashed is the file's failure, not the worker's: it must not be tried in another one. */
class FileReadError extends Error {}
class FileWriteError extends Error {}

/** One hasher for all tasks: its state is loaded and saved around each. */
function wasmHasher(): Promise<IHasher> {
  wasm ??= import('hash-wasm').then(({ createSHA256 }) => createSHA256());
  return wasm;
}

interface Updatable {
  update(data: Uint8Array): unknown;
}

function updateAll(hash: Updatable, input: HashInput, output?: FilePlace): void {
  if (output && !('fd' in input)) updateAndWrite(hash, input, output);
  else if ('fd' in input) updateFromFile(hash, input);
  else for (const { shared, offset, length } of input) hash.update(new Uint8Array(shared, offset, length));
}

/** Hashes memory, and writes it to a file on the way: a piece that was just hashed is still in the core's own cache. */
function updateAndWrite(hash: Updatable, input: readonly SharedSlice[], { fd, offset }: FilePlace): void {
  let at = offset;
  for (const { shared, offset: start, length } of input) {
    for (let done = 0; done < length; done += READ_BYTES) {
      const piece = new Uint8Array(shared, start + done, Math.min(READ_BYTES, length - done));
      hash.update(piece);
      at += writeAll(fd, piece, at);
    }
  }
}

function writeAll(fd: number, piece: Uint8Array, offset: number): number {
  try {
    for (let done = 0; done < piece.length; )
      done += writeSync(fd, piece, done, piece.length - done, offset + done);
    return piece.length;
  } catch (cause) {
    throw new FileWriteError((cause as NodeJS.ErrnoException).code ?? String(cause));
  }
}

function updateFromFile(hash: Updatable, { fd, offset, length, stop }: FileRange): void {
  readBuffer ??= new Uint8Array(READ_BYTES);
  const stopped = stop && new Int32Array(stop);
  for (let done = 0; done < length; ) {
    if (stopped && Atomics.load(stopped, 0) !== 0) throw new FileReadError('STOPPED');
    let bytes: number;
    try {
      bytes = readSync(fd, readBuffer, 0, Math.min(READ_BYTES, length - done), offset + done);
    } catch (cause) {
      throw new FileReadError((cause as NodeJS.ErrnoException).code ?? String(cause));
    }
    if (bytes === 0) throw new FileReadError('SHORT');
    hash.update(bytes === READ_BYTES ? readBuffer : readBuffer.subarray(0, bytes));
    done += bytes;
  }
}

async function digest(provider: HashProvider, input: HashInput): Promise<string> {
  if (provider === 'native') {
    const hash = createHash('sha256');
    updateAll(hash, input);
    return hash.digest('hex');
  }
  const hasher = (await wasmHasher()).init();
  updateAll(hasher, input);
  return hasher.digest('hex');
}

async function measure(provider: HashProvider, bytes: number): Promise<number> {
  const input: SharedSlice[] = [{ shared: new SharedArrayBuffer(bytes), offset: 0, length: bytes }];
  // The first run pays for loading and compiling. Of the others the shortest counts: on a busy machine any of them
  // may be interrupted, and a single sample has once chosen the provider that is seven times slower.
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= MEASURE_ROUNDS; round++) {
    const startedMs = performance.now();
    await digest(provider, input);
    if (round > 0) bestMs = Math.min(bestMs, performance.now() - startedMs);
  }
  return bestMs;
}

export default async function run(task: HashTask): Promise<HashResult> {
  try {
    return await perform(task);
  } catch (error) {
    if (error instanceof FileReadError) return { fileFailure: error.message };
    if (error instanceof FileWriteError) return { writeFailure: error.message };
    throw error;
  }
}

async function perform(task: HashTask): Promise<HashResult> {
  switch (task.op) {
    case 'digest':
      return digest(task.provider, task.input);
    case 'chain': {
      const hasher = (await wasmHasher()).init();
      if (task.state) hasher.load(task.state);
      updateAll(hasher, task.input, task.output);
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
      updateAll(hash, task.input, task.output);
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
