import { bytesText, linkOf } from '../suite/markdown.ts';
import { movedBytes, type Result, type SuiteFile } from '../suite/schema.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** A result as a row of a chart, with what is derived from it. */
export interface Row extends Result {
  /** By the median of the runs, by the slowest and by the fastest of them. */
  readonly mibPerSecond: number;
  readonly slowest: number;
  readonly fastest: number;
  /** The least and the most of the runs, in the unit. */
  readonly least: number;
  readonly most: number;
  readonly requestsPerGiB: number;
  /** Of the object, as text. */
  readonly size: string;
  readonly link: string;
  /** The first eight digits of the commit, and when it was measured. */
  readonly commit: string;
  readonly date: string;
}

/** The rows of one file. What does not apply is NaN, and left out by the charts that need it. */
export function rowsOf({ results, git, date }: SuiteFile): Row[] {
  return results.map((one) => {
    const bytes = one.unit === 's' ? movedBytes(one) : 0;
    const rate = (seconds: number) => (bytes > 0 ? bytes / MIB / seconds : Number.NaN);
    const [least, most] = [Math.min(...one.samples), Math.max(...one.samples)];
    return {
      ...one,
      ...{ mibPerSecond: rate(one.median), slowest: rate(most), fastest: rate(least), least, most },
      requestsPerGiB: bytes > 0 && one.requests !== undefined ? one.requests / (bytes / GIB) : Number.NaN,
      size: one.objectBytes === undefined ? '' : bytesText(one.objectBytes),
      link: linkOf({ ...one, concurrency: undefined }) || 'loopback',
      commit: git.commit.slice(0, 8),
      date,
    };
  });
}

/** Without a limit of the bandwidth, and each program at its own concurrency. */
export function isPlain({ bandwidthBytesPerSecond, concurrency }: Result): boolean {
  return bandwidthBytesPerSecond === undefined && concurrency === undefined;
}

/** The value of a field that most rows have. */
export function mostFrequent<T>(rows: readonly Row[], of: (row: Row) => T): T | undefined {
  const groups = Map.groupBy(rows, of);
  return [...groups].sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}

/** Without the groups in which `of` has one value only: there is no line through one point. */
export function withSeveral<T>(
  rows: readonly Row[],
  group: (row: Row) => string,
  of: (row: Row) => T,
): readonly Row[] {
  const groups = Map.groupBy(rows, group);
  return [...groups.values()].filter((own) => new Set(own.map(of)).size > 1).flat();
}
