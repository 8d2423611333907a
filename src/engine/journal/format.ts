import { crc32 } from 'node:zlib';
import type { FileIdentity } from '../fileIdentity.ts';

/** A blob as part of a push: which bytes, and for which tag. */
export interface BlobPlace {
  /** Absent where the bytes are in no file: such a blob cannot be taken up again. */
  readonly file?: FileIdentity | undefined;
  /** Where in the source the blob starts, and how long it is, in bytes. */
  readonly start: number;
  readonly bytes: number;
  readonly tag: string;
}

/** Where a push goes. */
export interface JournalTarget {
  readonly origin: string;
  readonly repository: string;
}

/** The first line of a journal. */
export interface JournalHeader extends JournalTarget {
  readonly type: 'journal';
  readonly version: typeof JOURNAL_VERSION;
}

/** One transition of an upload. Sessions are numbered within their journal. */
export type JournalRecord =
  /** A session was opened; nothing was sent yet. */
  | { readonly type: 'session'; readonly id: number; readonly url: string; readonly place: BlobPlace }
  /** The registry has taken all bytes before `bytes`; `url` is the newest location, `chunkBytes` the length of a chunk. */
  | {
      readonly type: 'confirmed';
      readonly id: number;
      readonly url: string;
      readonly bytes: number;
      readonly chunkBytes: number;
    }
  /** The session is committed, cancelled, or known to be gone. */
  | { readonly type: 'closed'; readonly id: number }
  /** A blob is in the registry; the manifest that names it may not be. */
  | { readonly type: 'stored'; readonly digest: string; readonly place: BlobPlace };

/** A journal as it was read. */
export interface DecodedJournal {
  readonly header: JournalHeader;
  readonly records: readonly JournalRecord[];
  /** True when it ends in a line that was not written to its end, or that is damaged. */
  readonly torn: boolean;
}

export const JOURNAL_VERSION = 1;

/** The lines of records, each with a checksum in front: `crc32 json`. */
export function encodeLines(records: readonly (JournalHeader | JournalRecord)[]): string {
  return records.map((record) => lineOf(JSON.stringify(record))).join('');
}

/**
 * Reads a journal up to its first damaged line. What a crash tears off the end costs nothing but sending it again, so
 * that it is no error.
 *
 * @returns why nothing of it can be used, where that is so
 */
export function decodeJournal(text: string): DecodedJournal | 'empty' | 'damaged' | 'other version' {
  const lines = text.split('\n');
  // A whole line ends in a line feed: what stands behind the last one is a torn line, or nothing.
  const rest = lines.pop();
  const [first, ...others] = lines;
  if (first === undefined) return 'empty';
  const header = parseLine(first);
  if (typeof header !== 'object' || header === null) return 'damaged';
  if (!('type' in header) || header.type !== 'journal') return 'damaged';
  if (!('version' in header) || header.version !== JOURNAL_VERSION) return 'other version';
  if (!isHeader(header)) return 'damaged';
  const records: JournalRecord[] = [];
  let torn = rest !== '';
  for (const line of others) {
    const record = parseLine(line);
    if (!isRecord(record)) {
      torn = true;
      break;
    }
    records.push(record);
  }
  return { header, records, torn };
}

function lineOf(json: string): string {
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

function parseLine(line: string): unknown {
  const json = line.slice(9);
  if (`${line}\n` !== lineOf(json)) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isHeader(value: Fields): value is Fields & JournalHeader {
  return typeof value.origin === 'string' && typeof value.repository === 'string';
}

function isRecord(value: unknown): value is JournalRecord {
  if (!isFields(value)) return false;
  switch (value.type) {
    case 'session':
      return isCount(value.id) && isUrl(value.url) && isPlace(value.place);
    case 'confirmed':
      return isCount(value.id) && isUrl(value.url) && isCount(value.bytes) && isCount(value.chunkBytes);
    case 'closed':
      return isCount(value.id);
    case 'stored':
      return (
        typeof value.digest === 'string' && /^[a-z0-9]+:[0-9a-f]+$/.test(value.digest) && isPlace(value.place)
      );
    default:
      return false;
  }
}

function isPlace(value: unknown): value is BlobPlace {
  if (!isFields(value)) return false;
  if (!isCount(value.start) || !isCount(value.bytes) || typeof value.tag !== 'string') return false;
  const { file } = value;
  if (file === undefined) return true;
  if (!isFields(file) || !isCount(file.bytes)) return false;
  return [file.path, file.device, file.inode, file.mtimeNs].every((field) => typeof field === 'string');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value);
}
