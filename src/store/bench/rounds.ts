import { type ErrorCode, isKlosetError, throwIfAborted } from '../../errors.ts';
import type { Cell } from './cells.ts';
import type { BenchSample, Measurements } from './measure.ts';
import type { BenchPlan } from './plan.ts';

/** What the rounds of a run tell. */
export type RoundEvent =
  | { readonly type: 'round'; readonly round: number; readonly rounds: number }
  | { readonly type: 'sample'; readonly round: number; readonly cell: Cell; readonly sample: BenchSample }
  | { readonly type: 'refused'; readonly cell: Cell; readonly reason: string };

/** What was measured so far, by the names of the cells. */
export type Results = Map<string, { cell: Cell; samples: BenchSample[]; refused?: string }>;

/** What rounds work with. */
export interface RoundsContext {
  readonly measurements: Measurements;
  /** Filled as samples come, so that they are there whatever ends the rounds. */
  readonly results: Results;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RoundEvent) => void;
  /** Takes away what a round has made. */
  readonly takeAway: () => Promise<void>;
}

// How a registry says that it takes no chunks; other failures are those of the whole run.
const NO_CHUNKS: readonly ErrorCode[] = [
  'UPLOAD_REFUSED',
  'UPLOAD_SESSION_LOST',
  'BODY_TOO_LARGE',
  'REGISTRY_FAILED',
];

/** Warms up, then measures every cell once in each round. @throws KlosetError CANCELLED, and what the registry refuses */
export async function runRounds(
  { warmUp, cells, rounds }: BenchPlan,
  { measurements, results, signal, onEvent, takeAway }: RoundsContext,
): Promise<void> {
  let takesChunks = true;
  const measure = async (cell: Cell): Promise<BenchSample | undefined> => {
    throwIfAborted(signal);
    if (cell.mode === 'chunked' && !takesChunks) return undefined;
    try {
      return await measurements.measure(cell);
    } catch (error) {
      if (signal.aborted || cell.mode !== 'chunked') throw error;
      if (!isKlosetError(error) || !NO_CHUNKS.includes(error.code)) throw error;
      takesChunks = false;
      for (const one of cells.filter(({ mode }) => mode === 'chunked'))
        results.set(one.name, { cell: one, samples: [], refused: error.summary });
      onEvent({ type: 'refused', cell, reason: error.summary });
      return undefined;
    }
  };
  for (const cell of warmUp) await measure(cell);
  for (let round = 1; round <= rounds; round++) {
    onEvent({ type: 'round', round, rounds });
    for (const cell of inOrder(cells, round)) {
      const sample = await measure(cell);
      if (!sample) continue;
      const result = results.get(cell.name) ?? { cell, samples: [] };
      results.set(cell.name, result);
      result.samples.push(sample);
      onEvent({ type: 'sample', round, cell, sample });
    }
    // What the last one has made is taken away with everything else.
    if (round === rounds) return;
    await takeAway();
    measurements.forget();
  }
}

/**
 * Pushes before what reads them, and the list in between; each in the opposite order in every second round, so that
 * what changes with time makes none of them faster than another.
 */
function inOrder(cells: readonly Cell[], round: number): Cell[] {
  const order = ['push', 'list', 'pull', 'read'];
  const turned = round % 2 === 0 ? [...cells].reverse() : [...cells];
  return turned.sort((a, b) => order.indexOf(a.what) - order.indexOf(b.what));
}
