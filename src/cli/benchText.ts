import type { BenchPlan } from '../store/bench/plan.ts';
import type { BenchFindings } from '../store/bench/run.ts';
import type { BenchLeftovers } from '../store/bench/trail.ts';
import { type CellResult, type Expected, type Rate, rateOf, spreadOf } from '../store/bench/verdict.ts';
import { formatBytes } from './format.ts';

/** `72 requests, 11.5 MiB`: what a run will take. */
export function costText({ cost }: BenchPlan): string {
  return `${cost.requests} requests and ${formatBytes(cost.bytes)}`;
}

/** `12.3 MiB/s ± 4 %`. */
function rateText(rate: Rate): string {
  return `${formatBytes(rate.median)}/s ± ${(100 * spreadOf(rate)).toFixed(0)} %`;
}

/** Name, speed, and what else the cell is about. */
export function resultRow(result: CellResult): [name: string, speed: string, detail: string] {
  const { cell, samples } = result;
  const rate = rateOf(result);
  if (!rate) return [cell.name, 'not possible', result.refused ?? ''];
  const middle = [...samples].sort((a, b) => a.seconds - b.seconds)[Math.floor(samples.length / 2)];
  if (cell.what === 'list') {
    return [cell.name, `${(1000 * (middle?.seconds ?? 0)).toFixed(1)} ms`, `${middle?.objects ?? 0} objects`];
  }
  const perSecond = rate.median / ((middle?.bytes ?? 0) / (middle?.objects ?? 1) || 1);
  return [cell.name, rateText(rate), cell.what === 'read' ? '' : `${perSecond.toFixed(1)} objects/s`];
}

/** `--concurrency 32`, and in a plakar configuration `concurrency=32`. */
export function optionTexts(recommended: Readonly<Record<string, string>>): {
  readonly flags: string;
  readonly plakar: string;
} {
  const all = Object.entries(recommended);
  return {
    flags: all.map(([name, value]) => `--${name.replaceAll('_', '-')} ${value}`).join(' '),
    plakar: all.map(([name, value]) => `${name}=${value}`).join(' '),
  };
}

/** What to expect of a backup or a restore, as a sentence. */
export function expectedText(what: 'backup' | 'restore', expected: Expected | undefined): string {
  if (!expected)
    return `No speed of a ${what} was measured: it takes packfiles, for which --max-bytes is too small.`;
  return `Expected of a ${what}: ${rateText(expected.bytesPerSecond)} of packfiles (${expected.from}).`;
}

/** What a run leaves undone and behind, as sentences. */
export function remainderLines({ place, leftovers, cutShort, leftOut }: BenchFindings): string[] {
  const lines: string[] = [];
  if (cutShort)
    lines.push(`It ended early, for its bound of ${cutShort}: raise --max-${cutShort} to see more.`);
  if (leftOut.length > 0) lines.push(`Not measured, for the bounds: ${leftOut.join(', ')}.`);
  lines.push(...leftoverLines(leftovers, place.location));
  if (place.own && leftovers.tags === 0) {
    lines.push(
      `${place.location} is empty again; some registries go on showing its name until it is removed.`,
    );
  }
  return lines;
}

/** What could not be deleted, as sentences. */
export function leftoverLines({ tags, blobs, blobBytes }: BenchLeftovers, location: string): string[] {
  const lines: string[] = [];
  if (tags > 0) lines.push(`Left behind, since they could not be deleted: ${tags} tags in ${location}`);
  if (blobs > 0) {
    lines.push(`Left to the registry's garbage collection: ${blobs} blobs, ${formatBytes(blobBytes)}`);
  }
  return lines;
}
