/** Sources: what they read, and that one which changes while it is read is refused. */
import { appendFile, mkdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { fileSource } from '../../src/engine/fileSource.ts';
import { streamSource } from '../../src/engine/streamSource.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';
import * as r from './rig.ts';

const content = seededBytes(1, 100_000);

describe('files', () => {
  let folder: Scratch;
  let path: string;
  beforeEach(async () => {
    folder = await scratch('sources');
    path = join(folder.path, 'file');
    await writeFile(path, content);
  });
  afterEach(() => folder.remove());

  test('are read at any place, any number of times', async () => {
    const reader = await (await fileSource(path)).open();
    await fc.assert(
      fc.asyncProperty(fc.nat(content.length), fc.nat(5000), async (position, length) => {
        const into = new Uint8Array(new SharedArrayBuffer(length));
        const bytes = await reader.read(into, position);
        expect(
          Buffer.from(into.subarray(0, bytes)).equals(content.subarray(position, position + length)),
        ).toBe(true);
      }),
      { numRuns: 30 },
    );
    await reader.verifyUnchanged();
    await reader.close();
  });

  test.each([
    ['grew', () => appendFile(path, 'x')],
    ['shrank', () => truncate(path, 10)],
    ['was written to', () => writeFile(path, seededBytes(2, content.length))],
    ['was touched', () => utimes(path, 1, 1)],
  ])('one that %s while it was read is refused', async (_, change) => {
    const reader = await (await fileSource(path)).open();
    await reader.read(new Uint8Array(5), 0);
    await change();
    await expect(reader.verifyUnchanged()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    await reader.close();
  });

  test('one that shrank shows it at the read', async () => {
    const reader = await (await fileSource(path)).open();
    await truncate(path, 10);
    await expect(reader.read(new Uint8Array(100), 0)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    await reader.close();
  });

  test('that are none are refused', async () => {
    await expect(fileSource(join(folder.path, 'none'))).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
    await mkdir(join(folder.path, 'folder'));
    await expect(fileSource(join(folder.path, 'folder'))).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
    });
  });

  test.each([1, 6])('a push of one that grows (%i MiB) makes nothing visible', async (size) => {
    const rig = await r.startRig({ memoryBytes: 32 * r.MIB, chunkBytes: r.MIB });
    await writeFile(path, seededBytes(3, size * r.MIB));
    const source = await fileSource(path);
    await appendFile(path, 'x');
    await expect(rig.put(1, source)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    await expect(rig.read(1)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect(rig.registry.openSessions()).toEqual([]);
    await rig.close();
  });
});

describe('streams', () => {
  test('come whole, whatever the pieces and the reads', async () => {
    const lengths = fc.integer({ min: 1, max: 400 });
    await fc.assert(
      fc.asyncProperty(fc.nat(3000), lengths, lengths, async (total, piece, step) => {
        const bytes = content.subarray(0, total);
        const reader = await streamSource(r.pieces(bytes, piece), 'stream').open();
        const got: Uint8Array[] = [];
        for (let at = 0; ; ) {
          const into = new Uint8Array(step);
          const read = await reader.read(into, at);
          got.push(into.subarray(0, read));
          at += read;
          if (read < step) break;
        }
        expect(Buffer.concat(got).equals(bytes)).toBe(true);
        await reader.verifyUnchanged();
        await reader.close();
      }),
      { numRuns: 50 },
    );
  });

  test('are ended when they are given up', async () => {
    let ended = false;
    const reader = await streamSource(
      (async function* () {
        try {
          yield content;
          yield content;
        } finally {
          ended = true;
        }
      })(),
      'stream',
    ).open();
    await reader.read(new Uint8Array(10), 0);
    await reader.close();
    expect(ended).toBe(true);
  });

  test('cannot be read at any other place than the next', async () => {
    const reader = await streamSource(r.pieces(content), 'stream').open();
    await expect(reader.read(new Uint8Array(10), 5)).rejects.toThrow(RangeError);
  });
});

test('bytes in memory are read at any place', async () => {
  const source = bufferSource(content, 'bytes');
  expect(source.sizeBytes).toBe(content.length);
  const reader = await source.open();
  const into = new Uint8Array(20);
  expect(await reader.read(into, content.length - 10)).toBe(10);
  expect(Buffer.from(into.subarray(0, 10)).equals(content.subarray(-10))).toBe(true);
  expect(await reader.read(into, content.length)).toBe(0);
});
