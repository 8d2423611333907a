/** How ours stands beside each other program: the figures that a reader wants first. */
import { linkOf, sizeOf, timesAsGood } from '../suite/markdown.ts';
import { type Result, situationKey } from '../suite/schema.ts';
import { median } from '../suite/statistics.ts';
import { type Table, withoutEmptyColumns } from '../suite/table.ts';
import { orderOf } from './order.ts';

/**
 * Of each task, size and link, every program at its own concurrency: the median over the registries, and between what
 * they lie. Above 1 ours is better.
 */
export function ratioTable(results: readonly Result[]): Table {
  const ours = new Map(
    results.filter(({ contestant }) => contestant === 'ours').map((one) => [keyOf(one), one]),
  );
  const peers = orderOf(
    results.map(({ contestant }) => contestant).filter((name) => !name.startsWith('ours')),
  );
  const comparable = results.filter(
    (one) => ours.has(keyOf(one)) && !one.contestant.startsWith('ours') && one.concurrency === undefined,
  );
  const groups = Map.groupBy(comparable, (one) =>
    JSON.stringify([one.task, sizeOf(one), linkOf(one), one.unit]),
  );
  const rows = [...groups.values()].map((group) => {
    const [first] = group as [Result];
    const cells = peers.map((peer) =>
      spanOf(
        group
          .filter(({ contestant }) => contestant === peer)
          .map((one) => timesAsGood(ours.get(keyOf(one)) as Result, one)),
      ),
    );
    const registries = orderOf(group.map(({ registry = '' }) => registry));
    return [
      ...[first.task, sizeOf(first), linkOf(first) || 'loopback', first.unit],
      ...[registries.join(', '), ...cells],
    ];
  });
  const head = ['task', 'size', 'link', 'unit', 'registries', ...peers.map((peer) => `× ${peer}`)];
  return withoutEmptyColumns({ head, rows });
}

const keyOf = (one: Result) => `${situationKey(one)} ${one.unit}`;

function spanOf(ratios: readonly number[]): string {
  if (ratios.length === 0) return '';
  const middle = median(ratios).toFixed(2);
  return ratios.length === 1
    ? middle
    : `${middle} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
}
