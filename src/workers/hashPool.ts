import { availableParallelism } from 'node:os';
import type { Piscina } from 'piscina';
import { KlosetError } from '../errors.ts';
import { type HashResult, type HashTask, LANE_LOST } from './hashTasks.ts';

// More lanes than this outrun any link and any registry, and each costs 10 MiB.
const MAX_THREADS = 4;
/** How many workers may die under the same work. */
export const MAX_ATTEMPTS = 3;

/** The tasks of one stream, which all go to the worker that holds its state. */
export interface LaneAffinity {
  readonly lane: number;
  /** The thread that the first task went to. */
  workerId: number | undefined;
}

/** The error of work under which so many workers have died. */
export function workerFailed(attempts: number, cause: unknown): KlosetError {
  return new KlosetError('WORKER_FAILED', 'the hash worker failed', {
    tried: `${attempts} workers`,
    remedy: 'Try --hasher native or --hasher wasm; please report it if both fail.',
    cause,
  });
}

/** A lane's worker died, and the state with it: the stream has to be hashed from its start. */
export class LaneLostError extends Error {
  override readonly name = 'LaneLostError';
}

/** Threads that hash. Piscina replaces those that die; tasks without state are run again. */
export class HashPool {
  readonly threads: number;
  #started: Promise<RunningPool> | undefined;
  #closed = false;
  readonly #running = new Set<Promise<unknown>>();

  constructor(threads = defaultThreads()) {
    this.threads = threads;
  }

  /** Runs a task that needs no state of a worker; a worker that dies under it costs an attempt. */
  async run(task: HashTask): Promise<HashResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { pool } = await this.#start();
        return await this.#counted(pool.run(task));
      } catch (cause) {
        if (this.#closed || attempt >= MAX_ATTEMPTS) {
          throw workerFailed(attempt, cause);
        }
      }
    }
  }

  /**
   * Runs a task in the worker of its lane.
   *
   * @throws LaneLostError
   */
  async runPinned(task: HashTask, affinity: LaneAffinity): Promise<HashResult> {
    const { pool, affinityKey } = await this.#start();
    try {
      return await this.#counted(pool.run({ ...task, [affinityKey]: affinity }));
    } catch (cause) {
      throw new LaneLostError(LANE_LOST, { cause });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#started) return;
    const { pool } = await this.#started;
    // Piscina throws into the void when a result comes for a task that it has forgotten by then.
    await Promise.allSettled(this.#running);
    await pool.destroy();
  }

  #counted<T>(result: Promise<T>): Promise<T> {
    this.#running.add(result);
    const forget = () => this.#running.delete(result);
    result.then(forget, forget);
    return result;
  }

  /** Threads cost time and memory: a listing needs none. */
  #start(): Promise<RunningPool> {
    this.#started ??= startPool(this.threads);
    return this.#started;
  }
}

/** One core is left to the thread that reads and sends. */
function defaultThreads(): number {
  return Math.max(1, Math.min(availableParallelism() - 1, MAX_THREADS));
}

interface RunningPool {
  readonly pool: Piscina<HashTask & { [key: symbol]: unknown }, HashResult>;
  /** Where Piscina looks for what its load balancer may know of a task. */
  readonly affinityKey: symbol;
}

async function startPool(threads: number): Promise<RunningPool> {
  const { Piscina: Pool, queueOptionsSymbol } = await import('piscina');
  // Sources run as they are under a Node that strips types; the package holds compiled files.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const pool = new Pool<HashTask & { [key: symbol]: unknown }, HashResult>({
    filename: new URL(`./hashWorker.${extension}`, import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    // Tasks wait at their worker rather than in the pool's queue: only so can a balancer keep a lane together.
    concurrentTasksPerWorker: 1024,
    loadBalancer: (task, workers) => {
      const affinity = (task as unknown as Record<symbol, LaneAffinity | undefined>)[queueOptionsSymbol];
      const alive = workers.filter((worker) => !worker.terminating && !worker.destroyed);
      // When the lane's worker is gone, any other one says that it does not know the lane.
      const pinned = alive.find((worker) => worker.id === affinity?.workerId);
      if (pinned) return pinned;
      const idlest = alive.sort((a, b) => a.currentUsage - b.currentUsage)[0] ?? null;
      if (affinity && idlest) affinity.workerId ??= idlest.id;
      return idlest;
    },
  });
  return { pool, affinityKey: queueOptionsSymbol };
}
