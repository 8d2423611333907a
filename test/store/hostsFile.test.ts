import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HostsFile } from '../../src/store/hostsFile.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

const NOW = Date.UTC(2026, 10, 20);
const DAY_MS = 24 * 3_600_000;
const FACTS = { singlePost: false, bodyMaxBytes: 1_000_000, tagsMutable: true };

let folder: Scratch;
let path: string;
let remarks: string[];
let file: HostsFile;

beforeEach(async () => {
  folder = await scratch('hosts');
  path = join(folder.path, 'state', 'hosts.json');
  remarks = [];
  file = new HostsFile(path, (text) => remarks.push(text));
});
afterEach(() => folder.remove());

describe('the file of hosts', () => {
  it('gives back what was written, to its owner alone', async () => {
    await file.write('ghcr.io', 'auto', { sinceMs: NOW, facts: FACTS });
    expect(await file.read('ghcr.io', 'auto', NOW + 1)).toEqual({ sinceMs: NOW, facts: FACTS });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(remarks).toEqual([]);
  });

  it('keeps hosts and profiles apart', async () => {
    await file.write('a:5000', 'auto', { sinceMs: NOW, facts: { singlePost: true } });
    await file.write('a:5000', 'zot', { sinceMs: NOW, facts: { singlePost: false } });
    await file.write('b', 'auto', { sinceMs: NOW, facts: { tagDelete: false } });
    const facts = async (host: string, profile: string) => (await file.read(host, profile, NOW))?.facts;
    expect(await facts('a:5000', 'auto')).toEqual({ singlePost: true });
    expect(await facts('a:5000', 'zot')).toEqual({ singlePost: false });
    expect(await facts('b', 'auto')).toEqual({ tagDelete: false });
    expect(await facts('b', 'zot')).toBeUndefined();
    expect(await facts('c', 'auto')).toBeUndefined();
  });

  it('forgets after thirty days, and does not believe the future', async () => {
    await file.write('a', 'auto', { sinceMs: NOW, facts: FACTS });
    expect(await file.read('a', 'auto', NOW + 29 * DAY_MS)).toBeDefined();
    expect(await file.read('a', 'auto', NOW + 30 * DAY_MS)).toBeUndefined();
    expect(await file.read('a', 'auto', NOW - DAY_MS)).toBeUndefined();
  });

  it.each([
    ['no JSON', '{"version":1,'],
    ['another version', '{"version":2,"hosts":{}}'],
    ['a list', '[]'],
    ['nothing', ''],
  ])('is ignored with a remark, and replaced, where it holds %s', async (_, text) => {
    await mkdir(join(folder.path, 'state'));
    await writeFile(path, text);
    expect(await file.read('a', 'auto', NOW)).toBeUndefined();
    expect(remarks).toHaveLength(1);
    expect(remarks[0]).toContain(path);
    await file.write('a', 'auto', { sinceMs: NOW, facts: FACTS });
    expect((await file.read('a', 'auto', NOW))?.facts).toEqual(FACTS);
  });

  it('takes from a file only facts of the right form', async () => {
    await mkdir(join(folder.path, 'state'));
    const facts = {
      singlePost: 'yes',
      bodyMaxBytes: -1,
      chunkBytes: 5,
      password: 'secret',
      tagDelete: false,
    };
    const hosts = {
      a: { auto: { since: new Date(NOW).toISOString(), facts } },
      b: 7,
      c: { auto: { since: 1 } },
    };
    await writeFile(path, JSON.stringify({ version: 1, hosts }));
    expect((await file.read('a', 'auto', NOW))?.facts).toEqual({ chunkBytes: 5, tagDelete: false });
    expect(await file.read('b', 'auto', NOW)).toBeUndefined();
    expect(await file.read('c', 'auto', NOW)).toBeUndefined();
    expect(await file.read('__proto__', 'auto', NOW)).toBeUndefined();
    await file.write('d', 'auto', { sinceMs: NOW, facts: {} });
    expect(await readFile(path, 'utf8')).not.toContain('secret');
  });

  it('never throws, whatever JSON it holds', async () => {
    await mkdir(join(folder.path, 'state'));
    await fc.assert(
      fc.asyncProperty(fc.json(), async (hosts) => {
        await writeFile(path, `{"version":1,"hosts":${hosts}}`);
        await file.read('a', 'auto', NOW);
      }),
      { numRuns: 50 },
    );
  });

  it('of two that write, the later one wins its host and keeps the other', async () => {
    const other = new HostsFile(path);
    await file.read('a', 'auto', NOW);
    await other.write('b', 'auto', { sinceMs: NOW, facts: { singlePost: true } });
    await file.write('a', 'auto', { sinceMs: NOW, facts: FACTS });
    await other.write('a', 'auto', { sinceMs: NOW, facts: { tagDelete: true } });
    expect((await file.read('b', 'auto', NOW))?.facts).toEqual({ singlePost: true });
    expect((await file.read('a', 'auto', NOW))?.facts).toEqual({ tagDelete: true });
  });

  it('that cannot be written costs a remark', async () => {
    await writeFile(join(folder.path, 'state'), 'a file in the way');
    await file.write('a', 'auto', { sinceMs: NOW, facts: FACTS });
    expect(remarks.join('\n')).toContain('what was learned about a could not be kept');
  });
});
