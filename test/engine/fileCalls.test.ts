import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileCalls } from '../../src/engine/fileCalls.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

describe('calls of the file system', () => {
  let folder: Scratch;
  let path: string;
  beforeEach(async () => {
    folder = await scratch('file-calls');
    path = join(folder.path, 'file');
    await writeFile(path, 'content');
  });
  afterEach(() => folder.remove());

  it('are done at once where that is quick, without a thread', () => {
    const calls = new FileCalls(Number.POSITIVE_INFINITY);
    const fd = calls.open(path) as number;
    expect(typeof fd).toBe('number');
    const into = new Uint8Array(100);
    expect([calls.read(fd, into, 3), Buffer.from(into.subarray(0, 4)).toString()]).toEqual([4, 'tent']);
    expect(calls.read(fd, into, 7)).toBe(0);
    expect(calls.identify(fd)).toMatchObject({ size: 7n });
    expect(calls.close(fd)).toBeUndefined();
    expect(calls.stat(path)).toMatchObject({ size: 7 });
  });

  it('go to threads for a while after a slow one, with the same results', async () => {
    // Everything is too slow for it.
    const calls = new FileCalls(0);
    expect(calls.stat(path)).toMatchObject({ size: 7 });
    for (let call = 0; call < 64; call++) {
      const answer = calls.stat(path);
      expect(answer).toBeInstanceOf(Promise);
      expect(await answer).toMatchObject({ size: 7 });
    }
    const fd = calls.open(path) as number;
    expect(typeof fd).toBe('number');
    const into = new Uint8Array(100);
    const read = calls.read(fd, into, 3);
    expect(read).toBeInstanceOf(Promise);
    expect([await read, Buffer.from(into.subarray(0, 4)).toString()]).toEqual([4, 'tent']);
    expect(await calls.identify(fd)).toMatchObject({ size: 7n });
    await calls.close(fd);
  });

  it('that fail are told of the same way by both', async () => {
    const quick = new FileCalls(Number.POSITIVE_INFINITY);
    const slow = new FileCalls(0);
    slow.stat(path);
    const missing = join(folder.path, 'missing');
    expect(() => quick.open(missing)).toThrow('ENOENT');
    await expect(slow.open(missing)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
