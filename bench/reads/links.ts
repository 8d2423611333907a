import type { Link } from './modelRegistry.ts';

/**
 * The links of the table: this machine, a registry in the same city, in the same country, and across an ocean, and
 * the second one again over TCP as it is. The first four are what a benchmark with a delaying proxy sees.
 */
export const LINKS: readonly Link[] = [
  link('loopback', 0.1, 0.6, 800, 1200),
  link('10 ms', 10, 1, 80, 200),
  link('50 ms', 50, 1, 80, 200),
  link('150 ms', 150, 1, 40, 120),
  { ...link('50 ms, slow start', 50, 1, 40, 100), slowStart: true },
];

function link(
  name: string,
  roundTripMs: number,
  requestMs: number,
  connectionMiBps: number,
  totalMiBps: number,
): Link {
  return { name, roundTripMs, requestMs, connectionMiBps, totalMiBps, connections: 16, slowStart: false };
}
