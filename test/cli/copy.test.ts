/** `copy` on the command line: its report, and how it fails. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { refOf } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
// Permissions bind nobody who is root.
const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], unprivileged = false): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(unprivileged && asRoot && { uid: NOBODY, gid: NOBODY }),
    });
    const ended = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      ended.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      ended.stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...ended }));
  });
}

let registry: RunningRegistry;
let folder: string;
let source: string;
const BYTES = 30_000;
const at = (path: string) => `oci://${registry.address}/${path}`;

beforeAll(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'kloset-oci-copy-'));
  await chmod(folder, 0o755);
  source = join(folder, 'source');
  const store = new DirectoryStore(source);
  await store.create(seededBytes(0, 600));
  for (const number of [1, 2]) await store.put(refOf(number), bufferSource(seededBytes(number, BYTES), 'x'));
  await store.put({ ...refOf(3), type: 'state' }, bufferSource(seededBytes(3, 3000), 'x'));
});
afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true });
});

async function summaryOf(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(['copy', ...args, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

/** The command fails with one message that says all of this, without a stack. */
async function fails(
  args: string[],
  exit: number,
  said: readonly RegExp[],
  unprivileged = false,
): Promise<void> {
  const { code, stderr, stdout } = await run(['copy', ...args], unprivileged);
  for (const pattern of said) expect(stderr).toMatch(pattern);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
}

describe('copy', () => {
  it('carries a store over a layout and two repositories back into a directory', async () => {
    const layout = join(folder, 'layout');
    const bytes = 2 * BYTES + 3000;
    const into = await summaryOf(source, `oci-layout:${layout}`);
    expect(into).toMatchObject({
      event: 'summary',
      objects: 3,
      skipped: 0,
      mounted: 0,
      bytes,
      requests: {},
      retries: 0,
    });
    expect(into).not.toHaveProperty('uploadMode');
    // A folder that is a layout needs no prefix.
    const up = await summaryOf(layout, at('one/store'));
    expect(up).toMatchObject({ objects: 3, bytes, uploadMode: 'auto', requests: { 'manifest-write': 4 } });
    expect(await summaryOf(at('one/store'), at('two/store'))).toMatchObject({
      objects: 3,
      mounted: 3,
      bytes: 0,
    });
    const back = join(folder, 'back');
    expect(await summaryOf(at('two/store'), back)).toMatchObject({ objects: 3, bytes });
    expect(await summaryOf(at('two/store'), back)).toMatchObject({ objects: 3, skipped: 3, bytes: 0 });
    const [one, two] = [new DirectoryStore(source), new DirectoryStore(back)];
    expect(Buffer.from(await two.open()).equals(await one.open())).toBe(true);
    for await (const mac of one.list('packfile'))
      expect((await two.stat({ type: 'packfile', mac })).bytes).toBe(BYTES);
    const { stdout } = await run(['copy', at('one/store'), at('three/store')]);
    expect(stdout).toMatch(/^copied 3 objects \(0 there already, 3 mounted\), 0 B in /);
  });

  it('of what is not there names the place', async () => {
    const absent = join(folder, 'absent');
    await fails([absent, at('x/y')], 1, [/STORE_MISSING/, /absent/, /Check the path/]);
    await fails([`oci-layout:${absent}`, at('x/y')], 1, [
      /STORE_MISSING/,
      /oci-layout:.*absent/,
      /Check the path/,
    ]);
    await fails([at('not/there'), join(folder, 'new')], 1, [
      /STORE_MISSING/,
      /not\/there/,
      /Check the location/,
    ]);
  });

  it('to the place that it comes from, or to no place, is wrong usage', async () => {
    await fails([source, `${source}/../source/`], 2, [/USAGE/, /same place/, /another target/]);
    await fails([at('a/b'), `${at('a/b')}/`], 2, [/USAGE/, /same place/]);
    await fails([source, 's3://bucket/store'], 2, [/LOCATION_INVALID/, /s3:/, /oci-layout:FOLDER/]);
    await fails([source, 'oci-layout:'], 2, [/LOCATION_INVALID/]);
    await fails([source, 'http://me:hunter2@host/x'], 2, [/LOCATION_INVALID/, /\*\*\*@host/]);
    await fails([source, `oci://${registry.address}`], 2, [/LOCATION_INVALID/, /repository is missing/]);
    await fails([source], 2, [/missing required argument 'to'/]);
  });

  it('to a target that holds another store changes nothing', async () => {
    const other = join(folder, 'other');
    await new DirectoryStore(other).create(Buffer.from('another'));
    await fails([source, other], 1, [/STORE_EXISTS/, new RegExp(other), /two stores cannot be mixed/]);
    await expect(new DirectoryStore(other).stat(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('from or to a layout with a garbage index names the file', async () => {
    const broken = join(folder, 'broken');
    await mkdir(broken);
    await writeFile(join(broken, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await writeFile(join(broken, 'index.json'), '{"manifests": "none"}');
    const said = [/MANIFEST_INVALID/, /broken\/index\.json/, /no list of manifests/, /Restore the file/];
    await fails([broken, at('x/y')], 1, said);
    await fails([source, broken], 1, said);
  });

  it('into a folder that holds other things does not litter', async () => {
    const home = join(folder, 'home');
    await mkdir(home);
    await writeFile(join(home, 'letter.txt'), 'dear');
    await fails([source, `oci-layout:${home}`], 1, [/FILE_WRITE_FAILED/, /home/, /new or an empty folder/]);
  });

  it('without the permission to write or to read names the path', async () => {
    const closed = join(folder, 'closed');
    await mkdir(closed);
    await chmod(closed, 0o555);
    // The source of an unprivileged user has to be one that it may read.
    expect((await run(['copy', source, at('readable/store')])).code).toBe(0);
    for (const target of [join(closed, 'kloset'), `oci-layout:${join(closed, 'layout')}`]) {
      await fails(
        [at('readable/store'), target],
        1,
        [/FILE_WRITE_FAILED/, /closed\//, /EACCES/, /permissions/],
        true,
      );
    }
    const secret = join(folder, 'secret');
    await mkdir(secret);
    await chmod(secret, 0o000);
    for (const place of [secret, `oci-layout:${secret}`])
      await fails([place, at('x/y')], 1, [/SOURCE_UNREADABLE/, /secret/, /EACCES/, /permissions/], true);
    await chmod(secret, 0o755);
  });
});
