import { createHash } from 'node:crypto';
import { HashPool, type LaneAffinity } from './hashPool.ts';
import type { FilePlace, HashInput, HashProvider, HashResult } from './hashTasks.ts';

/** Which SHA-256 to use; `auto` measures both. */
export type HasherChoice = 'auto' | HashProvider;

/** The bytes of a file could not be read to be hashed. */
export class FileHashError extends Error {
  override readonly name = 'FileHashError';
  /** An errno, `SHORT` where the file ended too early, or `STOPPED`. */
  readonly reason: string;

  constructor(reason: string) {
    super(`the file could not be hashed (${reason})`);
    this.reason = reason;
  }
}

/** Bytes that were hashed could not be written; `code` is the errno. */
export class HashedWriteError extends Error {
  override readonly name = 'HashedWriteError';
  readonly code: string;

  constructor(code: string) {
    super(`the file system refuses it (${code})`);
    this.code = code;
  }
}

/** The hash of one stream, chunk by chunk in order. */
export interface HashLane {
  /** True when a dead worker costs nothing: the state is held here, and any worker can go on from it. */
  readonly resumable: boolean;
  /**
   * @param output where the worker also writes the bytes, which have to be in memory
   * @throws LaneLostError when the state died with its worker, FileHashError, HashedWriteError
   */
  update(input: HashInput, output?: FilePlace): Promise<void>;
  /** `sha256:<hex>`; the lane is used up. @throws LaneLostError */
  digest(): Promise<string>;
  /** Gives the lane up. */
  drop(): void;
}

// OpenSSL with SHA instructions needs a tenth of a millisecond for it and hash-wasm half: enough to tell them apart.
const CALIBRATION_BYTES = 128 * 1024;

// OpenSSL hashes this much in some 40 µs, which is what a message to a thread and back takes.
const SMALL_BYTES = 64 * 1024;
// Faster than hash-wasm is anywhere, by a factor of two: it has no SHA instructions and does 230 to 290 MiB/s on one
// thread (docs/benchmarks.md). There its module is not even loaded, which saves a push 40 ms.
const OUT_OF_REACH_BYTES_PER_MS = 600 * 1024;

/** SHA-256 in worker threads, by hash-wasm or by the runtime's OpenSSL. */
export class Hasher {
  readonly #choice: HasherChoice;
  readonly #pool: HashPool;
  #provider: Promise<HashProvider> | undefined;
  #lanes = 0;

  constructor(options: { choice?: HasherChoice; threads?: number } = {}) {
    this.#choice = options.choice ?? 'auto';
    this.#pool = new HashPool(options.threads);
  }

  /** The provider in use; measured at the first call where the choice is `auto`. */
  provider(): Promise<HashProvider> {
    this.#provider ??= this.#choice === 'auto' ? this.#calibrate() : Promise.resolve(this.#choice);
    return this.#provider;
  }

  /** The digest of bytes in memory or in a file, as `sha256:<hex>`. @throws FileHashError */
  async digest(input: HashInput): Promise<string> {
    const small = this.#choice !== 'wasm' && smallDigest(input);
    if (small) return small;
    const provider = await this.provider();
    return `sha256:${checked(await this.#pool.run({ op: 'digest', provider, input }))}`;
  }

  /**
   * A lane for a stream.
   *
   * @param rereadable whether the stream can be hashed again from its start. Where it cannot, `auto` takes the
   *   provider whose state survives a worker.
   */
  async lane(rereadable: boolean): Promise<HashLane> {
    const provider = this.#choice === 'auto' && !rereadable ? 'wasm' : await this.provider();
    return provider === 'wasm' ? wasmLane(this.#pool) : nativeLane(this.#pool, ++this.#lanes);
  }

  /** Makes one worker die, for tests. */
  async crashWorker(): Promise<void> {
    await this.#pool.runPinned({ op: 'crash' }, { lane: 0, workerId: undefined }).catch(() => {});
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #calibrate(): Promise<HashProvider> {
    const time = (provider: HashProvider) =>
      this.#pool.run({ op: 'measure', provider, bytes: CALIBRATION_BYTES }) as Promise<number>;
    const nativeMs = await time('native');
    if (CALIBRATION_BYTES / nativeMs > OUT_OF_REACH_BYTES_PER_MS) return 'native';
    return nativeMs <= (await time('wasm')) ? 'native' : 'wasm';
  }
}

function wasmLane(pool: HashPool): HashLane {
  let state: Uint8Array | undefined;
  return {
    resumable: true,
    update: async (input, output) => {
      state = checked(await pool.run({ op: 'chain', state, input, output })) as Uint8Array;
    },
    digest: async () => `sha256:${await pool.run({ op: 'finish', state })}`,
    drop: () => {},
  };
}

function nativeLane(pool: HashPool, lane: number): HashLane {
  const affinity: LaneAffinity = { lane, workerId: undefined };
  let first = true;
  const update = async (input: HashInput, output?: FilePlace) => {
    const opens = first;
    first = false;
    checked(await pool.runPinned({ op: 'lane-update', lane, first: opens, input, output }, affinity));
  };
  return {
    resumable: false,
    update,
    digest: async () => {
      if (first) await update([]);
      return `sha256:${await pool.runPinned({ op: 'lane-digest', lane }, affinity)}`;
    },
    drop: () => {
      if (!first) pool.runPinned({ op: 'lane-drop', lane }, affinity).catch(() => {});
    },
  };
}

/** The digest of what takes longer to hand to a thread than to hash: locks, and the first of them starts the threads. */
function smallDigest(input: HashInput): string | undefined {
  if ('fd' in input) return undefined;
  if (input.reduce((sum, { length }) => sum + length, 0) > SMALL_BYTES) return undefined;
  const hash = createHash('sha256');
  for (const { shared, offset, length } of input) hash.update(new Uint8Array(shared, offset, length));
  return `sha256:${hash.digest('hex')}`;
}

function checked(result: HashResult): HashResult {
  if (typeof result !== 'object') return result;
  if ('fileFailure' in result) throw new FileHashError(result.fileFailure);
  if ('writeFailure' in result) throw new HashedWriteError(result.writeFailure);
  return result;
}
