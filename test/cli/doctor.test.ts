/** `doctor` as a user runs it: what it prints, how it ends, and what it leaves when it is interrupted. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { isPatch, isStart, MIB, on, refuse } from '../engine/rig.ts';
import { tagsOf } from '../support/registryState.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let registry: RunningRegistry;
beforeEach(async () => {
  registry = await startRegistry();
});
afterEach(() => registry.close());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], onStarted: (interrupt: () => void) => void = () => {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, 'doctor', `oci://${registry.address}/a/b`, ...args]);
    const ended = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      ended.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      ended.stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...ended }));
    onStarted(() => child.kill('SIGINT'));
  });
}

const linesOf = ({ stdout }: Ended): Record<string, unknown>[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('doctor', () => {
  it('prints a table, and ends with 0', async () => {
    const ended = await run(['--max-bytes', '2MiB']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const rows = ended.stdout
      .split('\n')
      .filter((line) => /^ {2}\S.{20} (?:ok|limited|not possible|skipped) /.test(line));
    expect(rows.length).toBeGreaterThanOrEqual(28);
    expect(ended.stdout).toMatch(/Profile +Any other registry \(generic\)/);
    expect(ended.stdout.trimEnd().split('\n').at(-1)).toBe('A store works here.');
    expect(await tagsOf(registry.address, 'a/b')).toEqual([]);
  });

  it('prints one JSON object per line, the summary last', async () => {
    registry.setFaults({
      before: (exchange) => (exchange.headers['content-range'] === undefined ? undefined : refuse(400)),
    });
    const ended = await run(['--json', '--profile', 'ghcr', '--max-bytes', '2MiB']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const lines = linesOf(ended);
    expect(lines.slice(0, -1).every(({ event }) => event === 'finding')).toBe(true);
    expect(lines.find(({ name }) => name === 'upload-chunks')).toMatchObject({ verdict: 'not possible' });
    expect(lines.at(-1)).toMatchObject({
      event: 'summary',
      works: true,
      complete: true,
      profile: 'ghcr',
      recommended: { upload_mode: 'monolithic' },
      facts: { takesChunks: false, blobMaxBytes: 10_000_000_000 },
      leftovers: { tags: [], manifests: [], blobs: 0, blobBytes: 0 },
    });
  });

  it('ends with 1 where a store cannot work, in words and in JSON', async () => {
    registry.setFaults({ before: on(isStart, refuse(403, 'DENIED')) });
    const told = await run([]);
    expect(told.code).toBe(1);
    expect(told.stderr).toMatch(/REGISTRY_UNSUITABLE.*Right to write: .*403 DENIED/);
    expect(told.stdout).not.toContain('A store works here');
    const json = await run(['--json']);
    expect(json).toMatchObject({ code: 1, stderr: '' });
    expect(linesOf(json).at(-1)).toMatchObject({ event: 'summary', works: false });
  });

  it('names what it could not take away again', async () => {
    registry.setFaults({ before: (exchange) => (exchange.method === 'DELETE' ? refuse(405) : undefined) });
    const ended = await run(['--max-bytes', '2MiB']);
    expect(ended.code).toBe(0);
    const tags = await tagsOf(registry.address, 'a/b');
    expect(tags).toHaveLength(2);
    for (const tag of tags) expect(ended.stdout).toContain(`the tag ${tag}`);
    expect(ended.stdout).toMatch(/garbage collection: \d+ blobs/);
  });

  it('takes everything away when it is interrupted in the middle of a body', async () => {
    let interrupt = () => {};
    registry.setFaults({
      before: (exchange) => {
        if (!isPatch(exchange) || Number(exchange.headers['content-length']) < MIB) return undefined;
        interrupt();
        return { kind: 'stall', afterRequestBytes: 1000 };
      },
    });
    const ended = await run([], (stop) => {
      interrupt = stop;
    });
    expect(ended.code).toBe(130);
    expect(await tagsOf(registry.address, 'a/b')).toEqual([]);
    expect(registry.openSessions()).toEqual([]);
  });

  it('refuses a bound that is no size', async () => {
    const ended = await run(['--max-bytes', 'much']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/expected a size/);
  });
});
