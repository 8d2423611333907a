import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OBJECT_TYPES, type ObjectRef } from '../../../src/store/objectNames.ts';
import { parseReadTraces } from '../../../src/store/reads/readTrace.ts';
import { TraceWriter } from '../../../src/store/reads/traceWriter.ts';
import { refOf } from '../../engine/rig.ts';

describe('a trace of reads', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
    path = join(folder, 'trace');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const parsed = async () => parseReadTraces(await readFile(path, 'utf8'));

  it('gives back what was written, with objects numbered in the order of first use', async () => {
    const reads = fc.array(
      fc.record({
        object: fc.nat(5),
        type: fc.constantFrom(...OBJECT_TYPES),
        startUs: fc.nat(10_000_000),
        durationUs: fc.nat(1_000_000),
        offset: fc.nat(2 ** 40),
        length: fc.nat(2 ** 32),
        error: fc.option(fc.constantFrom('CANCELLED', 'CONNECTION_LOST'), { nil: undefined }),
      }),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(reads, async (list) => {
        await rm(path, { force: true });
        const writer = new TraceWriter(path, 500);
        const numbers = new Map<string, number>();
        for (const { object, type, startUs, durationUs, offset, length, error } of list) {
          const ref: ObjectRef = { type, mac: refOf(object).mac };
          const key = `${type} ${object}`;
          if (!numbers.has(key)) numbers.set(key, numbers.size);
          writer.object(ref, object * 1000);
          const startMs = 500 + startUs / 1000;
          writer.read({ ref, startMs, endMs: startMs + durationUs / 1000, offset, length, error });
        }
        await writer.close();
        if (list.length === 0) return;
        const [trace, ...others] = await parsed();
        expect(others).toEqual([]);
        const expected = list.map(({ object, type, startUs, durationUs, offset, length, error }) => ({
          startUs,
          durationUs,
          type,
          object: numbers.get(`${type} ${object}`),
          offset,
          length,
          ...(error !== undefined && { error }),
        }));
        expect(trace?.reads).toEqual(expected.sort((a, b) => a.startUs - b.startUs));
        expect(trace?.objects.map(({ object }) => object)).toEqual([...numbers.values()]);
      }),
      { numRuns: 30 },
    );
  });

  it('names no MAC', async () => {
    const writer = new TraceWriter(path, 0);
    writer.object(refOf(1), 10);
    writer.read({ ref: refOf(1), startMs: 1, endMs: 2, offset: 0, length: 10 });
    await writer.close();
    const text = await readFile(path, 'utf8');
    expect(text).toMatch(
      /^# kloset-oci reads 1, run \S+\nobject 0 packfile 10\n1000 1000 packfile 0 0 10\n$/,
    );
    expect(text).not.toContain(refOf(1).mac.slice(0, 8));
  });

  it('keeps the runs of a file apart, also where their blocks alternate', () => {
    const text = ['a', 'b', 'a']
      .map((run, at) => `# kloset-oci reads 1, run ${run}\n${10 - at} 1 state ${at} 0 5\n`)
      .join('');
    const runs = parseReadTraces(`${text}# a remark\n\n`);
    expect(runs.map(({ run, reads }) => [run, reads.map(({ startUs }) => startUs)])).toEqual([
      ['a', [8, 10]],
      ['b', [9]],
    ]);
  });

  it('is read up to the line in which a process was killed', async () => {
    const writer = new TraceWriter(path, 0);
    writer.read({ ref: refOf(1), startMs: 1, endMs: 2, offset: 0, length: 10 });
    await writer.close();
    await appendFile(path, '2000 30 packf');
    expect((await parsed())[0]?.reads).toHaveLength(1);
  });

  it.each([
    ['1 2 packfile 0 0 1\n', 'no heading'],
    ['# kloset-oci reads 2, run a\n', 'version 2'],
    ['# kloset-oci reads 1, run a\n1 2 packfile 0 0\n', 'line 2'],
    ['# kloset-oci reads 1, run a\n1 2 packfile 0 -4 1\n', '"-4"'],
    ['# kloset-oci reads 1, run a\n1 2 parcel 0 4 1\n', '"parcel"'],
    ['# kloset-oci reads 1, run a\nobject 1 packfile\n', 'object NUMBER'],
  ])('refuses %j', (text, part) => {
    expect(() => parseReadTraces(text)).toThrow(expect.objectContaining({ code: 'TRACE_INVALID' }));
    expect(() => parseReadTraces(text)).toThrow(part);
  });

  it('that cannot be written fails at its end, and not before', async () => {
    const writer = new TraceWriter(join(folder, 'missing', 'trace'), 0);
    for (let at = 0; at < 5000; at++)
      writer.read({ ref: refOf(1), startMs: at, endMs: at + 1, offset: 0, length: 10 });
    await expect(writer.close()).rejects.toMatchObject({ code: 'FILE_WRITE_FAILED' });
  });
});
