import type { Coordinator } from '../engine/coordinator.ts';
import type { RequestStats } from '../registry/requestStats.ts';
import { formatBytes, formatRate, formatSeconds } from './format.ts';
import type { Observation } from './observe/observe.ts';
import type { WaitSeconds } from './observe/waits.ts';
import type { Output } from './output.ts';

/** What a run has done. */
export interface RunFigures {
  readonly objects: number;
  readonly skipped: number;
  readonly mounted?: number;
  readonly bytes: number;
  readonly resumedBytes?: number;
  readonly seconds: number;
}

/** What a run was made with. */
export interface RunMeans {
  readonly output: Output;
  stats(): RequestStats;
  /** Absent where no registry took part. */
  readonly coordinator: Coordinator | undefined;
  readonly observation: Observation;
}

/** The summary of push, pull, copy and verify: the last JSON line, or a sentence. */
export async function printSummary(means: RunMeans, verb: string, figures: RunFigures): Promise<void> {
  const { output, coordinator } = means;
  const { requests, retries, throttled } = means.stats();
  const waitSeconds = means.observation.waitSeconds();
  const { objects, skipped, mounted = 0, bytes, resumedBytes = 0, seconds } = figures;
  output.event({
    event: 'summary',
    ...figures,
    requests,
    retries,
    throttled,
    waitSeconds,
    ...(coordinator && {
      hasher: await coordinator.hasher.provider(),
      uploadMode: coordinator.uploadMode,
    }),
    peakRssBytes: peakRssBytes(),
  });
  const count = Object.values(requests).reduce((sum, n) => sum + n, 0);
  const before = resumedBytes > 0 ? `, ${formatBytes(resumedBytes)} sent by a run before` : '';
  const how = `${skipped} there already${mounted > 0 ? `, ${mounted} mounted` : ''}${before}`;
  output.line(
    `${verb} ${objects} objects (${how}), ${formatBytes(bytes)} in ${formatSeconds(seconds)}, ` +
      `${formatRate(bytes, seconds)}, ${count} requests, ${retries} retries${troubleOf(throttled, waitSeconds)}`,
  );
}

/** What the registry made a run wait for, where it did. */
function troubleOf(throttled: number, waitSeconds: WaitSeconds): string {
  const waits = Object.entries(waitSeconds).map(([reason, seconds]) => `${reason} ${formatSeconds(seconds)}`);
  const parts = [];
  if (throttled > 0) parts.push(`${throttled} throttled`);
  if (waits.length > 0) parts.push(`waits of all requests together: ${waits.join(', ')}`);
  return parts.map((part) => `, ${part}`).join('');
}

/** The most memory that this process has held, in bytes. */
export function peakRssBytes(): number {
  // libuv reports KiB.
  return process.resourceUsage().maxRSS * 1024;
}
