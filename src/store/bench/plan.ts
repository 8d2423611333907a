import { CELLS, type Cell, OBJECT_BYTES, WARM_UP } from './cells.ts';

/** The most that a run may do. */
export interface BenchBounds {
  readonly maxRequests: number;
  /** Of payload, in both directions together. */
  readonly maxBytes: number;
  readonly maxSeconds: number;
}

export interface Cost {
  readonly requests: number;
  readonly bytes: number;
}

/** What a run does. */
export interface BenchPlan {
  readonly warmUp: readonly Cell[];
  /** In each round, in this order or in the opposite one. */
  readonly cells: readonly Cell[];
  readonly rounds: number;
  /** What the bounds do not allow. */
  readonly leftOut: readonly Cell[];
  /** What it takes with taking everything away again, where nothing has to be repeated. */
  readonly cost: Cost;
}

/** What the user's options allow. */
export interface PlanOptions {
  /** Whether chunks are compared with what is configured. */
  readonly comparesModes: boolean;
  /** Objects at once, at most. */
  readonly maxLanes: number;
  /** Length of a chunk, where the user has set it. */
  readonly chunkBytes?: number | undefined;
}

/** A median of fewer tells nothing of the spread. */
const LEAST_ROUNDS = 3;
const MOST_ROUNDS = 7;

// The place is found, its tags are listed by each store, the configuration blob is looked for and stored in the forms
// that the engine tries, logins are made.
const SETUP_REQUESTS = 30;
/** Deletion by tag and by digest, a look whether the tag is gone, deletion of the blob. */
export const CLEAN_UP_REQUESTS = { manifest: 3, blob: 1 } as const;
/** A session, a body, a manifest. */
const PUSH_REQUESTS = 3;
/** A manifest and a blob, which some registries redirect to. */
const PULL_REQUESTS = 3;
/** No registry is known to take only shorter chunks. */
const LEAST_CHUNK_BYTES = 4 * 1024 * 1024;
/** The read cache fetches 20 MiB with some 15 requests; each may be redirected. */
const READ_REQUESTS = 80;
/** The pages of up to a thousand tags, of which a round makes some hundred. */
const LIST_REQUESTS = 2;

/** What one cell costs in one round, with its part of taking everything away again. */
export function costOf(cell: Cell, chunkBytes = LEAST_CHUNK_BYTES): Cost {
  const { what, objects, mode, size } = cell;
  const bytes = objects * OBJECT_BYTES[size];
  if (what === 'list') return { requests: LIST_REQUESTS, bytes: 0 };
  if (what === 'pull') return { requests: objects * PULL_REQUESTS, bytes };
  if (what === 'read') return { requests: objects * READ_REQUESTS, bytes };
  const chunks = mode === 'chunked' ? Math.ceil(OBJECT_BYTES[size] / chunkBytes) : 0;
  const { manifest, blob } = CLEAN_UP_REQUESTS;
  return { requests: objects * (PUSH_REQUESTS + chunks + manifest + blob), bytes };
}

/**
 * Fits a run into its bounds: as much of {@link CELLS} as three rounds allow, then as many rounds as are left room for.
 * Without cells where not even the first of them fits.
 */
export function planBench(
  bounds: Pick<BenchBounds, 'maxRequests' | 'maxBytes'>,
  options: PlanOptions,
): BenchPlan {
  const { comparesModes, maxLanes, chunkBytes } = options;
  const wanted = (cell: Cell) =>
    cell.lanes <= Math.max(4, maxLanes) && (comparesModes || cell.mode !== 'chunked');
  const fits = (cells: readonly Cell[], rounds: number) => {
    const { requests, bytes } = costOfRun(cells, rounds, chunkBytes);
    return requests <= bounds.maxRequests && bytes <= bounds.maxBytes;
  };
  const cells: Cell[] = [];
  const leftOut: Cell[] = [];
  for (const cell of CELLS.filter(wanted)) {
    const hasObjects =
      cell.what === 'push' || cells.some(({ name }) => cell.from === undefined || name === cell.from);
    const home = hasObjects && fits([...cells, cell], LEAST_ROUNDS) ? cells : leftOut;
    home.push(cell);
  }
  let rounds = LEAST_ROUNDS;
  while (rounds < MOST_ROUNDS && fits(cells, rounds + 1)) rounds++;
  if (cells.length === 0) return { warmUp: [], cells, rounds: 0, leftOut, cost: { requests: 0, bytes: 0 } };
  return { warmUp: warmUpOf(cells), cells, rounds, leftOut, cost: costOfRun(cells, rounds, chunkBytes) };
}

/** What the run with the fewest bytes takes. */
export function leastCost(): Cost {
  const costs = CELLS.filter(({ what }) => what === 'push').map((cell) => costOfRun([cell], LEAST_ROUNDS));
  return costs.reduce((least, next) => (next.bytes < least.bytes ? next : least));
}

/** Sizes and modes that are not measured need no warming up. */
function warmUpOf(cells: readonly Cell[]): Cell[] {
  const longer = cells.some(({ size }) => size !== 'small');
  const chunked = cells.some(({ mode }) => mode === 'chunked');
  return WARM_UP.filter(({ size, mode }) => (mode === 'chunked' ? chunked : size === 'small' || longer));
}

function costOfRun(cells: readonly Cell[], rounds: number, chunkBytes?: number): Cost {
  const sum = (all: readonly Cell[], of: keyof Cost) =>
    all.reduce((total, cell) => total + costOf(cell, chunkBytes)[of], 0);
  const warm = warmUpOf(cells);
  return {
    requests: SETUP_REQUESTS + sum(warm, 'requests') + rounds * sum(cells, 'requests'),
    bytes: sum(warm, 'bytes') + rounds * sum(cells, 'bytes'),
  };
}
