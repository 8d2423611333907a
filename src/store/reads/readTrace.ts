import { KlosetError } from '../../errors.ts';
import { OBJECT_TYPES, type ObjectType } from '../objectNames.ts';

/** One read as its caller saw it. */
export interface TracedRead {
  /** When it was asked for, in microseconds since the run's first moment. */
  readonly startUs: number;
  /** Until its last byte was handed over, in microseconds. */
  readonly durationUs: number;
  readonly type: ObjectType;
  /** The object, numbered from 0 in the order of first use. */
  readonly object: number;
  readonly offset: number;
  readonly length: number;
  /** The code of the error that it ended with. */
  readonly error?: string | undefined;
}

/** An object that a run has read. */
export interface TracedObject {
  readonly object: number;
  readonly type: ObjectType;
  readonly bytes: number;
}

/** All reads of one process, by their start. */
export interface ReadTrace {
  readonly run: string;
  readonly objects: readonly TracedObject[];
  readonly reads: readonly TracedRead[];
}

const HEADING = /^# kloset-oci reads (\d+), run (\S+)$/;
const VERSION = 1;

/** The line before the lines of a run. Repeated whenever a process appends: several may share the file. */
export function headingLine(run: string): string {
  return `# kloset-oci reads ${VERSION}, run ${run}\n`;
}

export function objectLine({ object, type, bytes }: TracedObject): string {
  return `object ${object} ${type} ${bytes}\n`;
}

export function readLine(read: TracedRead): string {
  const { startUs, durationUs, type, object, offset, length, error } = read;
  const line = `${startUs} ${durationUs} ${type} ${object} ${offset} ${length}`;
  return error === undefined ? `${line}\n` : `${line} ${error}\n`;
}

/**
 * The runs of a trace file, in order of appearance. A last line without its end, which a killed process leaves, is
 * left out.
 *
 * @throws KlosetError TRACE_INVALID
 */
export function parseReadTraces(text: string): ReadTrace[] {
  const runs = new Map<string, { run: string; objects: TracedObject[]; reads: TracedRead[] }>();
  let current: { run: string; objects: TracedObject[]; reads: TracedRead[] } | undefined;
  const lines = text.split('\n');
  lines.pop();
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('#')) {
      const run = runOf(line, index);
      if (run === undefined) continue;
      current = runs.get(run) ?? { run, objects: [], reads: [] };
      runs.set(run, current);
    } else if (line !== '') {
      if (!current) throw invalid(index, 'there is no heading before it');
      const fields = line.split(' ');
      if (fields[0] === 'object') current.objects.push(parseObject(fields, index));
      else current.reads.push(parseRead(fields, index));
    }
  }
  for (const { reads } of runs.values()) reads.sort((a, b) => a.startUs - b.startUs);
  return [...runs.values()];
}

function runOf(line: string, index: number): string | undefined {
  const match = HEADING.exec(line);
  if (match && Number(match[1]) !== VERSION) throw invalid(index, `version ${match[1]} is not known`);
  return match?.[2];
}

function parseObject(fields: readonly string[], index: number): TracedObject {
  if (fields.length !== 4) throw invalid(index, 'expected "object NUMBER TYPE BYTES"');
  return {
    object: count(fields[1], index),
    type: typeOf(fields[2], index),
    bytes: count(fields[3], index),
  };
}

function parseRead(fields: readonly string[], index: number): TracedRead {
  if (fields.length !== 6 && fields.length !== 7)
    throw invalid(index, 'expected "START DURATION TYPE OBJECT OFFSET LENGTH [ERROR]"');
  return {
    startUs: count(fields[0], index),
    durationUs: count(fields[1], index),
    type: typeOf(fields[2], index),
    object: count(fields[3], index),
    offset: count(fields[4], index),
    length: count(fields[5], index),
    ...(fields[6] !== undefined && { error: fields[6] }),
  };
}

function count(text: string | undefined, index: number): number {
  const value = /^\d{1,16}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw invalid(index, `"${text}" is no count`);
  return value;
}

function typeOf(text: string | undefined, index: number): ObjectType {
  if (!OBJECT_TYPES.includes(text as ObjectType)) throw invalid(index, `"${text}" is no object type`);
  return text as ObjectType;
}

function invalid(index: number, why: string): KlosetError {
  return new KlosetError('TRACE_INVALID', `line ${index + 1} of the trace cannot be read: ${why}`, {
    remedy: 'Record the trace again, with the version that reads it.',
  });
}
