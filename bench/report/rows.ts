import { movedBytes, type Result, type SuiteFile } from '../suite/schema.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** A result as a row of a chart, with what is derived from it. */
export interface Row extends Result {
  readonly mibPerSecond: number;
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
    return {
      ...one,
      mibPerSecond: bytes > 0 ? bytes / MIB / one.median : Number.NaN,
      requestsPerGiB: bytes > 0 && one.requests !== undefined ? one.requests / (bytes / GIB) : Number.NaN,
      size: one.objectBytes === undefined ? '' : sizeText(one.objectBytes),
      link: one.roundTripMs ? `${one.roundTripMs} ms` : 'loopback',
      commit: git.commit.slice(0, 8),
      date,
    };
  });
}

function sizeText(bytes: number): string {
  if (bytes >= GIB) return `${bytes / GIB} GiB`;
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${Math.round(bytes / 1024)} KiB`;
}

/** Without a limit of the bandwidth, and each program at its own concurrency. */
export function isPlain({ bandwidthBytesPerSecond, concurrency }: Result): boolean {
  return bandwidthBytesPerSecond === undefined && concurrency === undefined;
}

/** The values of a field with the rows that have them, most frequent value first. */
export function mostFrequent<T>(rows: readonly Row[], of: (row: Row) => T): T | undefined {
  const groups = Map.groupBy(rows, of);
  return [...groups].sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}
