/** Journals that are of no use, of someone else, or of a process that lives; and the file that is written. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeLines, JOURNAL_VERSION, type JournalRecord } from '../../../src/engine/journal/format.ts';
import { JournalFile } from '../../../src/engine/journal/journalFile.ts';
import { JournalFolder } from '../../../src/engine/journal/journalFolder.ts';
import { formatOwner, livenessOf, parseOwner, readOwner } from '../../../src/engine/journal/owner.ts';
import { MAX_AGE_MS } from '../../../src/engine/journal/policy.ts';
import { VirtualClock } from '../../../src/flow/clock.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';

const target = { origin: 'http://registry', repository: 'a/b' };
const other = { origin: 'http://registry', repository: 'other' };
const header = { type: 'journal', version: JOURNAL_VERSION, ...target } as const;
const SECRET = 'http://registry/v2/a/b/blobs/uploads/1?_state=secret';
const session: JournalRecord = {
  type: 'session',
  id: 1,
  url: SECRET,
  place: { start: 0, bytes: 5, tag: 'packfiles-1' },
};
const asRoot = process.getuid?.() === 0;

let scratchFolder: Scratch;
let path: string;
let remarks: string[];
beforeEach(async () => {
  scratchFolder = await scratch('journals');
  path = join(scratchFolder.path, 'state', 'journals');
  remarks = [];
});
afterEach(() => scratchFolder.remove());

const openFolder = (now?: () => number) => JournalFolder.open(path, (remark) => remarks.push(remark), now);
const names = () => readdir(path);

/** A journal that a push has left, under a name of no owner. */
async function leave(text: string, of = target): Promise<string> {
  const folder = await openFolder();
  const made = folder.newPath(of);
  await writeFile(made, text, { mode: 0o600 });
  await folder.release(made, of);
  const [name = ''] = (await names()).filter((found) => found.includes('.released.'));
  return join(path, name);
}

/** The same, under the name of an owner. */
async function leaveTo(owner: string): Promise<void> {
  const released = await leave(encodeLines([header, session]));
  await rename(released, released.replace('released', owner));
}

describe('journals of earlier pushes', () => {
  test('are taken over once', async () => {
    await leave(encodeLines([header, session]));
    const [one, two] = await Promise.all([openFolder(), openFolder()]);
    const claimed = (await Promise.all([one.claim(target), two.claim(target)])).flat();
    expect(claimed).toMatchObject([{ sessions: [{ url: SECRET, confirmedBytes: 0 }], expired: false }]);
    expect(remarks).toEqual([]);
  });

  test('that were torn are taken up to their last whole line', async () => {
    await leave(`${encodeLines([header, session])}1234abcd {"type":"conf`);
    expect(await (await openFolder()).claim(target)).toMatchObject([{ sessions: [{ url: SECRET }] }]);
  });

  test.each([
    [
      'of another version',
      encodeLines([{ ...header, version: 2 as unknown as 1 }, session]),
      /other version/,
    ],
    ['that are damaged', 'rubbish\nand more\n', /damaged/],
    ['of another place, under a name that lies', encodeLines([{ ...header, ...other }]), /another place/],
  ])('%s are removed with a remark', async (_, text, remark) => {
    await leave(text);
    expect(await (await openFolder()).claim(target)).toEqual([]);
    expect(await names()).toEqual([]);
    expect(remarks).toEqual([expect.stringMatching(remark)]);
  });

  test('that hold nothing are removed without a word', async () => {
    await leave('');
    expect(await (await openFolder()).claim(target)).toEqual([]);
    expect(await names()).toEqual([]);
    expect(remarks).toEqual([]);
  });

  test('to another place stay until they are a week old', async () => {
    await leave(encodeLines([{ ...header, ...other }, session]), other);
    expect(await (await openFolder()).claim(target)).toEqual([]);
    expect(await names()).toHaveLength(1);
    expect(await (await openFolder(() => Date.now() + MAX_AGE_MS + 60_000)).claim(target)).toEqual([]);
    expect(await names()).toEqual([]);
  });

  test('that are a week old are told as such, so that their sessions are cancelled', async () => {
    const old = await leave(encodeLines([header, session]));
    const then = new Date(Date.now() - MAX_AGE_MS - 60_000);
    await utimes(old, then, then);
    expect(await (await openFolder()).claim(target)).toMatchObject([{ expired: true }]);
  });

  test('are not too old by a clock that was set back', async () => {
    await leave(encodeLines([header, session]));
    expect(await (await openFolder(() => 0)).claim(target)).toMatchObject([{ expired: false }]);
  });

  test('of a process that lives are not touched, whatever the clock says', async () => {
    await leaveTo(formatOwner(await readOwner()));
    const before = await names();
    expect(await (await openFolder(() => Date.now() + 10 * MAX_AGE_MS)).claim(target)).toEqual([]);
    expect(await names()).toEqual(before);
    expect(remarks).toEqual([]);
  });

  test('of a process whose number another one has now are taken over', async () => {
    await leaveTo(formatOwner({ ...(await readOwner()), started: '7' }));
    expect(await (await openFolder()).claim(target)).toHaveLength(1);
  });

  test('of another machine or container are left to it', async () => {
    for (const part of [{ host: '00000000' }, { space: '00000000' }]) {
      await leaveTo(formatOwner({ ...(await readOwner()), ...part }));
    }
    expect(await (await openFolder()).claim(target)).toEqual([]);
    expect(await names()).toHaveLength(2);
  });

  test('from before the machine was started anew are taken over', async () => {
    await leaveTo(formatOwner({ ...(await readOwner()), boot: '00000000' }));
    expect(await (await openFolder()).claim(target)).toHaveLength(1);
  });

  test.skipIf(!asRoot)('of another user are left alone with a remark', async () => {
    await chown(await leave(encodeLines([header, session])), 12_345, 12_345);
    expect(await (await openFolder()).claim(target)).toEqual([]);
    expect(await names()).toHaveLength(1);
    expect(remarks).toEqual([expect.stringMatching(/left alone: of another user/)]);
  });

  test.skipIf(asRoot)('that cannot be read are removed with a remark', async () => {
    await chmod(await leave(encodeLines([header, session])), 0o200);
    expect(await (await openFolder()).claim(target)).toEqual([]);
    expect(await names()).toEqual([]);
    expect(remarks).toEqual([expect.stringMatching(/cannot be read \(EACCES\)/)]);
  });

  test('that are no files, and files that are no journals, are left alone', async () => {
    const released = await leave(encodeLines([header, session]));
    await mkdir(released.replace('released', '1'));
    await writeFile(join(path, 'notes.txt'), 'mine');
    expect(await (await openFolder()).claim(target)).toHaveLength(1);
    expect(await names()).toContain('notes.txt');
    expect(remarks).toEqual([expect.stringMatching(/no file/)]);
  });
});

describe('the owner of a journal', () => {
  test('is dead once its process was killed, also before its parent has asked for it', async () => {
    const self = await readOwner();
    // What the shell becomes does not wait for its child, which stays in the table of processes.
    const script = 'sleep 60 & echo $!; read -r; kill -9 $!; echo killed; exec sleep 60';
    const shell = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
    const [text] = (await once(shell.stdout, 'data')) as [Buffer];
    const owner = await readOwner(Number(String(text).trim()));
    expect(await livenessOf(owner, self)).toBe('alive');
    shell.stdin.write('\n');
    await once(shell.stdout, 'data');
    await expect.poll(() => livenessOf(owner, self)).toBe('dead');
    shell.kill('SIGKILL');
    await once(shell, 'close');
  });

  test('is written in a file name and read back', async () => {
    const self = await readOwner();
    expect(parseOwner(formatOwner(self))).toEqual(self);
    expect(await livenessOf(self, self)).toBe('alive');
    expect(parseOwner('released')).toBeUndefined();
  });
});

describe('the journal that is written', () => {
  test('is for the eyes of the user alone, and synced in groups', async () => {
    const folder = await openFolder();
    const clock = new VirtualClock();
    const file = new JournalFile(folder.newPath(target), header, clock, (cause) => {
      throw cause;
    });
    const lines = Array.from({ length: 500 }, (_, at): JournalRecord => ({ type: 'closed', id: at }));
    await Promise.all(lines.map((line) => file.append([line])));
    await file.close();
    expect(await readFile(file.path, 'utf8')).toBe(encodeLines([header, ...lines]));
    expect((await stat(file.path)).mode & 0o777).toBe(0o600);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(file.syncs).toBeLessThanOrEqual(2);
  });

  test('is not made before there is something to write', async () => {
    const folder = await openFolder();
    const file = new JournalFile(folder.newPath(target), header, new VirtualClock(), () => {});
    await file.close();
    expect(await names()).toEqual([]);
  });

  test('tells once that it cannot be kept, and is quiet from then on', async () => {
    const failures: unknown[] = [];
    const file = new JournalFile(join(path, 'not', 'there'), header, new VirtualClock(), (cause) => {
      failures.push(cause);
    });
    for (let at = 0; at < 3; at++) await file.append([session]);
    await file.close();
    expect(failures).toMatchObject([{ code: 'ENOENT' }]);
  });
});
