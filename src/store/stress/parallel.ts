import type { Clock } from '../../flow/clock.ts';

/** Transfers of one number of connections. */
export interface ParallelStep {
  readonly connections: number;
  readonly bytesPerSecond: number;
  readonly transfers: number;
  readonly failed: number;
}

/** A further connection is worth it while it adds this share of what one brings. */
const WORTH_SHARE = 0.15;
const MOST_CONNECTIONS = 64;

/** The next number of connections to try, or undefined where more bring nothing. */
export function nextConnections(steps: readonly ParallelStep[]): number | undefined {
  const last = steps.at(-1);
  if (!last) return 1;
  const before = steps.at(-2);
  if (last.connections >= MOST_CONNECTIONS || last.failed > last.transfers / 5) return undefined;
  if (before && !isWorthIt(before, last)) return undefined;
  return last.connections * 2;
}

/** The fewest connections that bring nine tenths of the best. */
export function enoughConnections(steps: readonly ParallelStep[]): number | undefined {
  const best = Math.max(0, ...steps.map(({ bytesPerSecond }) => bytesPerSecond));
  return steps.find(({ bytesPerSecond }) => best > 0 && bytesPerSecond >= 0.9 * best)?.connections;
}

function isWorthIt(before: ParallelStep, last: ParallelStep): boolean {
  const added = last.connections - before.connections;
  const perConnection = before.bytesPerSecond / before.connections;
  return last.bytesPerSecond - before.bytesPerSecond >= WORTH_SHARE * added * perConnection;
}

/** Runs transfers on a number of connections, each after the other on each of them. */
export async function runParallel(
  connections: number,
  transfersEach: number,
  transfer: () => Promise<number>,
  clock: Clock,
): Promise<ParallelStep> {
  const startMs = clock.now();
  let bytes = 0;
  let failed = 0;
  const lane = async () => {
    for (let i = 0; i < transfersEach; i++) {
      const moved = await transfer();
      if (moved === 0) failed++;
      bytes += moved;
    }
  };
  await Promise.all(Array.from({ length: connections }, lane));
  const seconds = Math.max(1, clock.now() - startMs) / 1000;
  return { connections, bytesPerSecond: bytes / seconds, transfers: connections * transfersEach, failed };
}
