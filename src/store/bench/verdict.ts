import { percentile } from '../stress/step.ts';
import { type Cell, OBJECT_BYTES } from './cells.ts';
import type { BenchSample } from './measure.ts';

/** All samples of a cell. */
export interface CellResult {
  readonly cell: Cell;
  readonly samples: readonly BenchSample[];
  /** Why it could not be measured, in the registry's words. */
  readonly refused?: string | undefined;
}

/** Rates in one unit, summed up. */
export interface Rate {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** What a run means for its user. */
export interface BenchVerdict {
  /** Options that are better than the defaults, by their names in a plakar configuration. */
  readonly recommended: Readonly<Record<string, string>>;
  /** In sentences: what was compared, and what came of it. */
  readonly comparisons: readonly string[];
  /** Bytes of packfiles per second; absent where they were not measured. */
  readonly backup: Expected | undefined;
  readonly restore: Expected | undefined;
}

export interface Expected {
  readonly bytesPerSecond: Rate;
  /** How it was computed, as a sentence. */
  readonly from: string;
}

/** Below a tenth nobody would notice, whatever the noise. */
const NOTICEABLE_SHARE = 0.1;
const DEFAULT_CONCURRENCY = 16;

/** Bytes per second of a cell; of a list objects per second. `undefined` without samples. */
export function rateOf({ cell, samples }: CellResult): Rate | undefined {
  const rates = samples.map(
    ({ bytes, objects, seconds }) => (cell.what === 'list' ? objects : bytes) / Math.max(seconds, 1e-6),
  );
  if (rates.length === 0) return undefined;
  rates.sort((a, b) => a - b);
  const middle = (percentile(rates, 0.5) + (rates[Math.floor(rates.length / 2)] ?? 0)) / 2;
  return { median: middle, least: rates[0] ?? 0, most: rates.at(-1) ?? 0 };
}

/** Half of the range, as a share of the median. */
export function spreadOf({ median, least, most }: Rate): number {
  return median > 0 ? (most - least) / 2 / median : 0;
}

/** Whether one is faster: every sample of it than every sample of the other, and by what can be noticed. */
export function isFaster(one: Rate, other: Rate): boolean {
  return one.least > other.most && one.median > other.median * (1 + NOTICEABLE_SHARE);
}

/** What follows from the results. */
export function judge(results: readonly CellResult[]): BenchVerdict {
  const recommended: Record<string, string> = {};
  const comparisons: string[] = [];
  const modes = compareModes(results);
  if (modes) comparisons.push(modes.text);
  if (modes?.option) recommended.upload_mode = modes.option;
  const lanes = compareLanes(results);
  if (lanes) comparisons.push(lanes.text);
  if (lanes?.option) recommended.concurrency = lanes.option;
  return { recommended, comparisons, backup: backupOf(results, modes?.option), restore: restoreOf(results) };
}

interface Comparison {
  readonly text: string;
  /** The value to set, where the default is not the best. */
  readonly option?: string;
}

function compareModes(results: readonly CellResult[]): Comparison | undefined {
  const chunked = results.find(({ cell }) => cell.mode === 'chunked');
  const configured = results.find(
    ({ cell }) =>
      cell.what === 'push' && cell.mode === 'configured' && cell.size === 'packfile' && cell.lanes === 1,
  );
  if (!chunked || !configured) return undefined;
  if (chunked.refused !== undefined) return { text: `Chunked uploads do not work: ${chunked.refused}.` };
  const [inChunks, asIs] = [rateOf(chunked), rateOf(configured)];
  if (!inChunks || !asIs) return undefined;
  const ratio = `${(inChunks.median / asIs.median).toFixed(2)} times the speed of the default form`;
  if (isFaster(inChunks, asIs)) {
    return { text: `Packfiles in chunks are faster: ${ratio}.`, option: 'chunked' };
  }
  if (isFaster(asIs, inChunks)) return { text: `Packfiles in chunks are slower: ${ratio}.` };
  return { text: `Packfiles in chunks are as fast, within the noise (${ratio}).` };
}

/** By small objects: there a registry shows how many it takes at once, whatever the bandwidth. */
function compareLanes(results: readonly CellResult[]): Comparison | undefined {
  const measured = results.flatMap((result) => {
    const { what, size, mode, lanes } = result.cell;
    const rate = rateOf(result);
    return what === 'push' && size === 'small' && mode === 'configured' && rate ? [{ lanes, rate }] : [];
  });
  const usual = measured.find(({ lanes }) => lanes === DEFAULT_CONCURRENCY);
  if (!usual) return undefined;
  const better = measured
    .filter(({ rate }) => isFaster(rate, usual.rate))
    .sort((a, b) => b.rate.median - a.rate.median)[0];
  if (!better) {
    const tried = measured.map(({ lanes }) => lanes).sort((a, b) => a - b);
    return { text: `Of ${tried.join(', ')} small objects at once, no number is faster than ${usual.lanes}.` };
  }
  const ratio = (better.rate.median / usual.rate.median).toFixed(2);
  const text = `Small objects are faster ${better.lanes} at once: ${ratio} times the speed of ${usual.lanes}.`;
  return { text, option: String(better.lanes) };
}

function backupOf(results: readonly CellResult[], mode: string | undefined): Expected | undefined {
  const pushes = results.flatMap((result) => {
    const rate = rateOf(result);
    const { what, size } = result.cell;
    const isWanted = what === 'push' && size === 'packfile';
    return isWanted && rate && (result.cell.mode === 'configured' || mode === 'chunked')
      ? [{ cell: result.cell, rate, rounds: result.samples.length }]
      : [];
  });
  if (pushes.length === 0) return undefined;
  // A backup sends several at once: fewer are told only where they are faster.
  const best = pushes
    .sort((a, b) => b.cell.lanes - a.cell.lanes)
    .reduce((found, next) => (isFaster(next.rate, found.rate) ? next : found));
  const { cell, rate, rounds } = best;
  return {
    bytesPerSecond: rate,
    from: `pushes of ${cell.lanes === 1 ? 'one packfile' : `${cell.lanes} packfiles`} of ${OBJECT_BYTES.packfile / 1024 ** 2} MiB at once, median of ${rounds}; a backup sends what is left after plakar has deduplicated and compressed it`,
  };
}

function restoreOf(results: readonly CellResult[]): Expected | undefined {
  const reads = results.find(({ cell }) => cell.what === 'read');
  const rate = reads && rateOf(reads);
  if (!reads || !rate) return undefined;
  const each = Math.round(
    reads.samples.reduce((sum, sample) => sum + (sample.reads ?? 0), 0) / reads.samples.length,
  );
  return {
    bytesPerSecond: rate,
    from: `${each} reads of ${reads.cell.lanes} readers that go through one packfile as plakar restores it, through the read cache, median of ${reads.samples.length}; a restore of many packfiles gets faster, since more is fetched ahead`,
  };
}
