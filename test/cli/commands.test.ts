/** What each command prints, and how it ends, on a small store. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { tagOf } from '../../src/store/objectNames.ts';
import { refOf } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PACKFILES = [1, 2, 3];
const STATE = { ...refOf(4), type: 'state' } as const;
const BYTES = 20_000;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runProgram(command: string, args: readonly string[], leaveAfterFirstLine = false): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      ended.stdout += chunk;
      if (leaveAfterFirstLine) child.stdout.destroy();
    });
    child.stderr.on('data', (chunk) => {
      ended.stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...ended }));
  });
}

const run = (...args: string[]) => runProgram(process.execPath, [MAIN, ...args]);

/** The lines of a command that has to succeed, as JSON. */
async function events(...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

let registry: RunningRegistry;
let folder: string;
let source: string;
const at = (path: string) => `oci://${registry.address}/${path}`;

beforeAll(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'kloset-oci-cli-'));
  source = join(folder, 'source');
  const store = new DirectoryStore(source);
  await store.create(seededBytes(0, 600));
  for (const number of PACKFILES)
    await store.put(refOf(number), bufferSource(seededBytes(number, BYTES), 'x'));
  await store.put(STATE, bufferSource(seededBytes(4, 3000), 'x'));
});
afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true });
});

describe('a store on the command line', () => {
  const SUMMARY = ['event', 'objects', 'skipped', 'bytes', 'seconds', 'requests', 'retries', 'hasher'];

  it('goes in, is listed, counted, verified, and comes back', async () => {
    const place = at('whole/store');
    const pushed = await events('push', source, place);
    const summary = pushed.at(-1) ?? {};
    expect(summary).toMatchObject({ event: 'summary', objects: 4, skipped: 0, bytes: 3 * BYTES + 3000 });
    for (const key of [...SUMMARY, 'uploadMode', 'peakRssBytes']) expect(summary).toHaveProperty(key);
    expect(pushed.filter(({ event }) => event === 'object-done')).toHaveLength(4);

    const [again, listed, states, counted, verified, pulled] = await Promise.all([
      events('push', source, place),
      events('ls', place),
      events('ls', place, '--type', 'state'),
      events('stat', place),
      events('verify', '--deep', place),
      events('pull', place, join(folder, 'copy')),
    ]);
    expect(again.at(-1)).toMatchObject({ event: 'summary', objects: 4, skipped: 4, bytes: 0 });
    expect(listed.map(({ mac }) => mac).sort()).toEqual(
      [...PACKFILES.map((n) => refOf(n).mac), STATE.mac].sort(),
    );
    expect(states).toEqual([{ event: 'object', type: 'state', mac: STATE.mac, bytes: 3000 }]);
    expect(counted).toEqual([
      {
        event: 'stat',
        location: place,
        configBytes: 600,
        types: { packfile: { objects: 3, bytes: 3 * BYTES }, state: { objects: 1, bytes: 3000 } },
      },
    ]);
    expect(verified.at(-1)).toMatchObject({ event: 'summary', objects: 5, bytes: 3 * BYTES + 3600 });
    expect(pulled.at(-1)).toMatchObject({ event: 'summary', objects: 4, bytes: 3 * BYTES + 3000 });
    const files = async (root: string) =>
      (await readdir(root, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
        .sort();
    expect(await files(join(folder, 'copy'))).toEqual(await files(source));
  });

  it('gets files by their content, and loses them by rm', async () => {
    const content = seededBytes(9, 500);
    await writeFile(join(folder, 'note.txt'), content);
    const mac = createHash('sha256').update(content).digest('hex');
    const place = at('loose/files');
    await events('push', join(folder, 'note.txt'), place, '--type', 'lock');
    expect(await events('ls', place)).toEqual([{ event: 'object', type: 'lock', mac, bytes: 500 }]);
    expect(await events('rm', place, '--type', 'lock', mac.toUpperCase(), '--yes')).toEqual([
      { event: 'deleted', type: 'lock', mac },
    ]);
    const { code, stdout } = await run('ls', place);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  it('is told as damaged, object by object', async () => {
    const place = at('damaged/store');
    await events('push', source, place);
    const answer = await fetch(`${registry.url}/v2/damaged/store/manifests/${tagOf(refOf(2))}`);
    const { layers } = (await answer.json()) as { layers: { digest: string }[] };
    await registry.corruptBlob('damaged/store', layers[0]?.digest ?? '', seededBytes(99, BYTES));
    const [shallow, deep, pull] = await Promise.all([
      run('verify', place),
      run('verify', '--deep', place),
      run('pull', place, join(folder, 'damaged-copy')),
    ]);
    expect(shallow.code).toBe(0);
    expect(deep.code).toBe(1);
    expect(deep.stderr).toContain(`[BLOB_CORRUPT] packfile ${refOf(2).mac} on ${place.slice(6)}`);
    expect(deep.stderr).toContain('[STORE_DAMAGED]');
    expect(deep.stderr).toContain('1 of 5 objects');
    expect(pull.code).toBe(1);
    expect(pull.stderr).toContain(`[BLOB_CORRUPT] packfile ${refOf(2).mac} on ${place.slice(6)}`);
    expect(await readdir(join(folder, 'damaged-copy'))).not.toContain('CONFIG');
  });

  it('says nothing with --quiet, and everything but a stack with --verbose', async () => {
    const [quiet, verbose] = await Promise.all([
      run('push', source, at('quiet/store'), '--quiet'),
      run('ls', 'oci://127.0.0.1:1/a/b', '--verbose'),
    ]);
    expect(quiet).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(verbose).toMatchObject({ code: 1, stdout: '' });
    expect(verbose.stderr).toMatch(/caused by/);
    expect(verbose.stderr).not.toMatch(/\n\s+at /);
  });

  it('keeps credentials in a location out of what it says', async () => {
    const { code, stderr, stdout } = await run('ls', 'oci://me:hunter2@localhost:5000/a/b', '--json');
    expect(code).toBe(2);
    expect(stderr).toContain('credentials do not belong into a location');
    expect(stderr + stdout).not.toContain('hunter2');
  });
});

describe('a reader that leaves', () => {
  it('ends a listing without a complaint, and no push', async () => {
    const place = at('piped/store');
    const pushed = await runProgram(
      process.execPath,
      [MAIN, 'push', source, place, '--json', '--concurrency', '1'],
      true,
    );
    expect(pushed).toMatchObject({ code: 0, stderr: '' });
    // Whole, although nobody read the report.
    expect((await events('verify', place)).at(-1)).toMatchObject({ event: 'summary', objects: 5 });
    const helped = await runProgram(
      'sh',
      ['-c', `"${process.execPath}" "${MAIN}" push --help | true`],
      false,
    );
    expect(helped).toMatchObject({ code: 0, stderr: '' });
    const listed = await runProgram(process.execPath, [MAIN, 'ls', place, '--concurrency', '1'], true);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(registry.openSessions()).toEqual([]);
  });
});

describe('a disk that is full', () => {
  it('ends a pull with its name and nothing half-written', async (context) => {
    // A file system of its own in a name space of its own: no rights are needed where the kernel allows it.
    const limited = (script: string) =>
      runProgram('unshare', [
        '-Urm',
        'sh',
        '-c',
        `mount -t tmpfs -o size=1400k tmpfs "$1" || exit 99; shift; ${script}`,
        'sh',
        folder,
      ]);
    const allowed = await promisify(execFile)('unshare', [
      '-Urm',
      'mount',
      '-t',
      'tmpfs',
      'tmpfs',
      folder,
    ]).then(
      () => true,
      () => false,
    );
    context.skip(!allowed, 'a full disk: this kernel lets no user mount in a name space of its own');
    const big = join(folder, 'big');
    const store = new DirectoryStore(big);
    await store.create(seededBytes(0, 600));
    for (const number of PACKFILES)
      await store.put(refOf(number), bufferSource(seededBytes(number, 600_000), 'x'));
    await events('push', big, at('big/store'));
    const pull = `"${process.execPath}" "${MAIN}" pull "${at('big/store')}" "${folder}/full" --concurrency 1`;
    const { code, stderr, stdout } = await limited(
      `${pull}; code=$?; find "${folder}/full" -type f -size +0; exit $code`,
    );
    expect(stderr).toContain('[DISK_FULL]');
    expect(stderr).toContain('Free some room');
    expect(code).toBe(1);
    expect(stdout).not.toMatch(/\.tmp-|CONFIG/);
  });
});

describe('help', () => {
  it('shows an example for each command', () => {
    const shown: string[] = [];
    const visit = (command: ReturnType<typeof buildProgram>, path: string) => {
      for (const child of command.commands) {
        const name = `${path} ${child.name()}`;
        if (child.commands.length > 0) {
          visit(child, name);
          continue;
        }
        let text = '';
        child.configureOutput({
          writeOut: (part) => {
            text += part;
          },
        });
        child.outputHelp();
        expect(text).toContain(`Example:\n  ${name}`);
        expect(text).toContain('--json');
        shown.push(name.replace('kloset-oci ', ''));
      }
    };
    visit(buildProgram(), 'kloset-oci');
    expect(shown.sort()).toEqual(
      [
        'bench',
        'copy',
        'create',
        'demo',
        'doctor',
        'login',
        'logout',
        'ls',
        'pull',
        'push',
        'registry profiles',
        'registry serve',
        'rm',
        'stat',
        'stress',
        'verify',
      ].sort(),
    );
  });

  it('is no failure; no command is one', async () => {
    const [help, version, none] = await Promise.all([run('--help'), run('--version'), run()]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.');
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(none).toMatchObject({ code: 2, stdout: '' });
  });
});
