/** The memory of a push is bounded by its settings, not by what it sends. */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { klosetOci, summaryOf } from '../support/cli.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { type NullRegistry, startNullRegistry } from '../support/startNullRegistry.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const ALLOWED = 256 * MIB;
const long = process.env.KLOSET_OCI_LONG === '1';

describe('peak memory above the idle process, at default settings', () => {
  let folder: Scratch;
  let registry: NullRegistry;
  let idle: number;

  beforeAll(async () => {
    folder = await scratch('e2e-memory');
    registry = await startNullRegistry();
    idle = (await klosetOci(['ls', `oci://${registry.address}/memory/empty`, '--json'])).peakRssBytes;
  });

  afterAll(async () => {
    await registry?.stop();
    await folder?.remove();
  });

  async function growth(name: string, sizes: readonly number[]): Promise<number> {
    const source = join(folder.path, name);
    await mkdir(source);
    await Promise.all(sizes.map((size, i) => sparse(join(source, `${i}.bin`), size, i)));
    const location = `oci://${registry.address}/memory/${name}`;
    const run = await klosetOci(['push', source, location, '--type', 'packfile', '--json'], {
      timeoutMs: 1_700_000,
    });
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(summaryOf(run.stdout).bytes).toBeGreaterThanOrEqual(total);
    console.info(
      `${name}: peak ${show(run.peakRssBytes)}, idle ${show(idle)}, above idle ${show(run.peakRssBytes - idle)}, ` +
        `${run.seconds.toFixed(1)} s, ${(run.cpuSeconds / (total / GIB)).toFixed(2)} CPU s/GiB`,
    );
    return run.peakRssBytes - idle;
  }

  test('4 GiB in one file', async () => {
    expect(await growth('one-4-gib', [4 * GIB])).toBeLessThanOrEqual(ALLOWED);
  });

  test('4 GiB in 64 packfiles', async () => {
    const sizes = Array.from({ length: 64 }, () => 64 * MIB);
    expect(await growth('many-4-gib', sizes)).toBeLessThanOrEqual(ALLOWED);
  });

  test.skipIf(!long)(
    `40 GiB in one file${long ? '' : ' (skipped: set KLOSET_OCI_LONG=1)'}`,
    { timeout: 1_800_000 },
    async () => {
      expect(await growth('one-40-gib', [40 * GIB])).toBeLessThanOrEqual(ALLOWED);
    },
  );
});

/** A sparse file with a mark at its start, so that no two have the same digest. */
async function sparse(path: string, size: number, mark: number): Promise<string> {
  const file = await open(path, 'w');
  try {
    await file.truncate(size);
    await file.write(`mark ${mark}`, 0);
  } finally {
    await file.close();
  }
  return path;
}

const show = (bytes: number) => `${(bytes / MIB).toFixed(0)} MiB`;
