/** From single samples to medians, ratios and a markdown table. */
import { median } from '../suite/statistics.ts';
import type { ContestantName } from './contestants.ts';
import type { Task } from './tasks.ts';

export interface Sample {
  readonly task: string;
  readonly unit: Task['unit'];
  readonly mebibytes: number;
  readonly contestant: ContestantName;
  readonly round: number;
  readonly value: number;
}

export interface Row {
  readonly task: string;
  readonly unit: Task['unit'];
  readonly mebibytes: number;
  /** Runs of each contestant. */
  readonly runs: number;
  readonly medians: Partial<Record<ContestantName, number>>;
  /** Medians over that of the directory store. */
  readonly timesDirectory: Partial<Record<ContestantName, number>>;
}

export function summarise(samples: readonly Sample[]): Row[] {
  const groups = Map.groupBy(samples, ({ task, mebibytes }) => JSON.stringify([task, mebibytes]));
  return [...groups.values()].map((group) => {
    const { task, unit, mebibytes } = group[0] as Sample;
    const medians: Partial<Record<ContestantName, number>> = {};
    const timesDirectory: Partial<Record<ContestantName, number>> = {};
    const byContestant = Map.groupBy(group, ({ contestant }) => contestant);
    for (const [name, own] of byContestant) medians[name] = median(own.map(({ value }) => value));
    for (const name of ['go', 'ours'] as const) {
      const mine = medians[name];
      if (mine !== undefined && medians.directory !== undefined)
        timesDirectory[name] = mine / medians.directory;
    }
    const runs = Math.min(...[...byContestant.values()].map((own) => own.length));
    return { task, unit, mebibytes, runs, medians, timesDirectory };
  });
}

const HEADER = [
  'what',
  'tree',
  'unit',
  'runs',
  'directory',
  'Go',
  'ours',
  'Go × directory',
  'ours × directory',
];

export function markdown(rows: readonly Row[]): string {
  const lines = rows.map(({ task, mebibytes, unit, runs, medians, timesDirectory }) => [
    task,
    `${mebibytes} MiB`,
    unit,
    String(runs),
    ...([medians.directory, medians.go, medians.ours] as const).map((value) => shown(value, unit)),
    ...([timesDirectory.go, timesDirectory.ours] as const).map((value) => value?.toFixed(2) ?? ''),
  ]);
  const rule = HEADER.map((_, i) => (i < 3 ? '---' : '---:'));
  return `${[HEADER, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function shown(value: number | undefined, unit: Task['unit']): string {
  if (value === undefined) return '';
  return value.toFixed(unit === 's' || unit === 'bytes per byte' ? 2 : 0);
}
