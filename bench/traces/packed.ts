/** Traces as they are kept here: one run to a file, times in steps of 10 µs, brotli. */
import { readFile, writeFile } from 'node:fs/promises';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import {
  headingLine,
  objectLine,
  parseReadTraces,
  type ReadTrace,
  readLine,
} from '../../src/store/reads/readTrace.ts';

const STEP_US = 10;

/** Writes the busiest run of a trace, cut after `maxReads`; returns what was kept. */
export async function packTrace(text: string, path: string, maxReads: number): Promise<ReadTrace> {
  const runs = parseReadTraces(text).sort((a, b) => b.reads.length - a.reads.length);
  const [busiest] = runs;
  if (!busiest || busiest.reads.length === 0) throw new Error(`no reads were recorded for ${path}`);
  const reads = busiest.reads.slice(0, maxReads).map((read) => ({
    ...read,
    startUs: Math.round(read.startUs / STEP_US) * STEP_US,
    durationUs: Math.round(read.durationUs / STEP_US) * STEP_US,
  }));
  const used = new Set(reads.map(({ object }) => object));
  const kept: ReadTrace = {
    run: 'recorded',
    objects: busiest.objects.filter(({ object }) => used.has(object)),
    reads,
  };
  const lines = [headingLine(kept.run), ...kept.objects.map(objectLine), ...kept.reads.map(readLine)];
  const packed = brotliCompressSync(lines.join(''), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });
  await writeFile(path, packed);
  return kept;
}

export async function unpackTrace(path: string): Promise<ReadTrace> {
  const [trace] = parseReadTraces(brotliDecompressSync(await readFile(path)).toString('utf8'));
  if (!trace) throw new Error(`${path} holds no trace`);
  return trace;
}
