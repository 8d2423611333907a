import { formatBytes, formatRate, formatSeconds } from './format.ts';
import type { Session } from './session.ts';

/** What a run has done. */
export interface RunFigures {
  readonly objects: number;
  readonly skipped: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** The summary of push, pull and verify: the last JSON line, or a sentence. */
export async function printSummary(session: Session, verb: string, figures: RunFigures): Promise<void> {
  const { requests, retries } = session.stats();
  const { objects, skipped, bytes, seconds } = figures;
  session.output.event({
    event: 'summary',
    ...figures,
    requests,
    retries,
    hasher: await session.coordinator.hasher.provider(),
    uploadMode: session.coordinator.uploadMode,
    peakRssBytes: peakRssBytes(),
  });
  const count = Object.values(requests).reduce((sum, n) => sum + n, 0);
  session.output.line(
    `${verb} ${objects} objects (${skipped} there already), ${formatBytes(bytes)} in ${formatSeconds(seconds)}, ` +
      `${formatRate(bytes, seconds)}, ${count} requests, ${retries} retries`,
  );
}

/** The most memory that this process has held, in bytes. */
export function peakRssBytes(): number {
  // libuv reports KiB.
  return process.resourceUsage().maxRSS * 1024;
}
