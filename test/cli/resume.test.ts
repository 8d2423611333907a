/** Pushes and copies that are interrupted, and those that continue them, as a user runs them. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { isPatch, MIB, refOf } from '../engine/rig.ts';
import { type Running, start } from '../support/processes.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const CHUNKS = ['--upload-mode', 'chunked', '--chunk-size', '1MiB', '--hasher', 'native'];
const content = seededBytes(1, 5 * MIB);

let registry: RunningRegistry;
let folder: Scratch;
let file: string;
let at: string;
beforeEach(async () => {
  registry = await startRegistry();
  folder = await scratch('cli-resume');
  file = join(folder.path, 'file');
  await writeFile(file, content);
  at = `oci://${registry.address}/resume/store`;
});
afterEach(async () => {
  await registry.close();
  await folder.remove();
});

const run = (args: readonly string[], state = join(folder.path, 'state')): Running =>
  start(process.execPath, [MAIN, ...args, ...CHUNKS], {
    env: { ...process.env, KLOSET_OCI_STATE_DIR: state },
  });
const ended = async (running: Running) => ({ ...(await running.exited), output: running.output() });
const journals = () => readdir(join(folder.path, 'state', 'journals')).catch(() => undefined);
const startsAt = (headers: object, offset: number) =>
  'content-range' in headers && String(headers['content-range']).startsWith(`${offset}-`);

/** Interrupts a command when its file is sent from an offset on. */
async function interruptAt(offset: number, args: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  registry.setFaults({
    before: (exchange) => {
      if (!isPatch(exchange) || !startsAt(exchange.headers, offset)) return undefined;
      resolve();
      return { kind: 'stall' };
    },
  });
  const command = run(args);
  await Promise.race([promise, command.exited]);
  command.signal('SIGINT');
  expect(await command.exited).toMatchObject({ code: 130 });
  // A location is nobody's business.
  expect(command.output()).not.toContain('/uploads/');
  registry.setFaults(undefined);
}

describe('a command that was interrupted', () => {
  it('is continued by the same command, which says so', async () => {
    await interruptAt(3 * MIB, ['push', file, at]);
    expect(registry.openSessions()).toMatchObject([{ bytes: 3 * MIB }]);
    expect(await journals()).toHaveLength(1);
    const { code, output } = await ended(run(['push', file, at]));
    expect(code).toBe(0);
    expect(output).toMatch(/continuing .*file at 3\.0 MiB/);
    expect(output).toMatch(/3\.0 MiB sent by a run before/);
    expect(output).not.toContain('/uploads/');
    expect(registry.openSessions()).toEqual([]);
    expect(await journals()).toEqual([]);
  });

  it('is continued when it was a copy of a directory', async () => {
    const source = new DirectoryStore(join(folder.path, 'source'));
    await source.create(seededBytes(0, 500));
    await source.put(refOf(1), bufferSource(content, 'packfile'));
    await interruptAt(2 * MIB, ['copy', source.location, at]);
    const { code, output } = await ended(run(['copy', source.location, at, '--json']));
    expect(code).toBe(0);
    const events = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toContainEqual(expect.objectContaining({ event: 'object-resumed', bytes: 2 * MIB }));
    expect(events.at(-1)).toMatchObject({ event: 'summary', resumedBytes: 2 * MIB, bytes: 3 * MIB });
    expect(await journals()).toEqual([]);
  });

  it('leaves nothing and continues nothing with --no-resume', async () => {
    await interruptAt(3 * MIB, ['push', file, at, '--no-resume']);
    expect(registry.openSessions()).toEqual([]);
    expect(await journals()).toBeUndefined();
    await interruptAt(3 * MIB, ['push', file, at]);
    const { code, output } = await ended(run(['push', file, at, '--no-resume']));
    expect(code).toBe(0);
    expect(output).not.toContain('continuing');
    // What the other run has left is there for a command that wants it.
    expect(await journals()).toHaveLength(1);
  });

  it('does not keep another one from pushing the same to the same place', async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    let held = false;
    registry.setFaults({
      before: (exchange) => {
        if (held || !isPatch(exchange) || !startsAt(exchange.headers, 2 * MIB)) return undefined;
        held = true;
        reach();
        return { kind: 'hold', until: goOn };
      },
    });
    const first = run(['push', file, at]);
    await reached;
    expect(await ended(run(['push', file, at]))).toMatchObject({ code: 0 });
    // The journal of the one that runs was not touched.
    expect(await journals()).toHaveLength(1);
    resolve();
    expect(await ended(first)).toMatchObject({ code: 0 });
    expect(registry.openSessions()).toEqual([]);
    expect(await journals()).toEqual([]);
  });

  it('needs no journal to work', async () => {
    const taken = join(folder.path, 'taken');
    await mkdir(join(folder.path, 'state'));
    await writeFile(taken, '');
    const { code, output } = await ended(run(['push', file, at], taken));
    expect(code).toBe(0);
    expect(output).toMatch(/cannot be resumed: no journal can be kept in .*taken.* \((ENOTDIR|EEXIST)\)/);
  });
});
