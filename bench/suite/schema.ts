/**
 * The form in which every benchmark leaves its figures: one file per run, with all samples, so that a report needs
 * nothing else and a later reader can compute what he wants instead.
 */
export const SCHEMA = 'kloset-oci-bench/1';

/** What a figure is measured in. Less is better of times, counts and memory; more of rates. */
export const UNITS = {
  s: 'less',
  ms: 'less',
  us: 'less',
  requests: 'less',
  MiB: 'less',
  'bytes/byte': 'less',
  'CPU s/GiB': 'less',
  'CPU ms/call': 'less',
  'MiB/s': 'more',
  'ops/s': 'more',
} as const satisfies Record<string, 'less' | 'more'>;

export type Unit = keyof typeof UNITS;

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  /** Where stores and files lie. */
  readonly storage: 'memory' | 'disk';
  /** Runnable processes over the last minute as the run began: what else the machine was doing. */
  readonly loadAverage: number;
}

/** Where the figures of one program in one situation stand: all that is equal can be compared. */
export interface Situation {
  /** What is done, for example `push`. */
  readonly task: string;
  /** Absent where no registry takes part. */
  readonly registry?: string;
  readonly contestant: string;
  readonly objectBytes?: number;
  /** Objects that one run moves. */
  readonly objects?: number;
  /** Objects that are there before it. */
  readonly storedObjects?: number;
  readonly concurrency?: number;
  /** Added to each request, in milliseconds; 0 or absent on loopback. */
  readonly roundTripMs?: number;
  /** Of each connection, in bytes per second; absent where nothing limits it. */
  readonly bandwidthBytesPerSecond?: number;
}

/** What a single run may say beside its figure. */
export interface Costs {
  /** Processor time of the contestant's processes, the registry's not included. */
  readonly cpuSeconds?: number;
  readonly peakRssBytes?: number;
  readonly requests?: number;
}

export interface Result extends Situation {
  readonly unit: Unit;
  /** One per run, in the order of the runs. */
  readonly samples: readonly number[];
  readonly median: number;
  /** Half the distance between the quartiles over the median: 0.05 is ±5 %. */
  readonly spread: number;
  /** Median over the runs, per GiB that was moved; absent where nothing is moved. */
  readonly cpuSecondsPerGiB?: number;
  /** Median over the runs. */
  readonly cpuSeconds?: number;
  readonly requests?: number;
  /** The most of any run. */
  readonly peakRssBytes?: number;
}

export interface SuiteFile {
  readonly schema: typeof SCHEMA;
  readonly machine: Machine;
  /** Versions of all programs that took part, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Hash of the commit; `dirty` is true where files differ from it. */
  readonly git: { readonly commit: string; readonly dirty: boolean };
  /** When the run began, ISO 8601. */
  readonly date: string;
  readonly results: readonly Result[];
}

/** Bytes that one run of a result moves; 0 where nothing is moved. */
export function movedBytes({ objectBytes = 0, objects = 0 }: Situation): number {
  return objectBytes * objects;
}

/** All that has to be equal, except for the contestant, for two results to be comparable. */
export function situationKey(one: Situation, withContestant = false): string {
  const { task, registry, contestant, objectBytes, objects, storedObjects, concurrency } = one;
  const { roundTripMs = 0, bandwidthBytesPerSecond } = one;
  return JSON.stringify([
    ...[task, registry, objectBytes, objects, storedObjects, concurrency, roundTripMs],
    ...[bandwidthBytesPerSecond, withContestant && contestant],
  ]);
}

/** @throws Error that names the file, where it is not of this form */
export function readSuiteFile(text: string, name: string): SuiteFile {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || (value as SuiteFile).schema !== SCHEMA)
    throw new Error(`${name} is no result of the benchmarks (expected "schema": "${SCHEMA}")`);
  const { results } = value as SuiteFile;
  const bad = Array.isArray(results) ? results.findIndex((one) => !isResult(one)) : 0;
  if (bad >= 0) throw new Error(`${name}: result ${bad} is incomplete`);
  return value as SuiteFile;
}

function isResult(one: Partial<Result>): boolean {
  return (
    typeof one.task === 'string' &&
    typeof one.contestant === 'string' &&
    one.unit !== undefined &&
    one.unit in UNITS &&
    Array.isArray(one.samples) &&
    one.samples.length > 0 &&
    one.samples.every(Number.isFinite) &&
    Number.isFinite(one.median)
  );
}
