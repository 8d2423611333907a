import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import type { StressFindings } from '../../src/store/stress/findings.ts';
import { cliPath } from '../support/cli.ts';
import { type Measured, runMeasured } from '../support/measured.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

const CAP_PER_SECOND = 6;
const BURST = 6;

describe('stress', () => {
  let registry: RunningRegistry;
  let home: Scratch;
  const run = (...args: string[]): Promise<Measured> =>
    runMeasured(process.execPath, [cliPath(), 'stress', ...args]);

  beforeAll(async () => {
    home = await scratch('stress');
    let tokens = BURST;
    let lastMs = performance.now();
    registry = await startRegistry({
      faults: {
        before: ({ method, route }) => {
          if (method !== 'PUT' || route !== 'manifest') return undefined;
          const nowMs = performance.now();
          tokens = Math.min(BURST, tokens + ((nowMs - lastMs) * CAP_PER_SECOND) / 1000);
          lastMs = nowMs;
          if (tokens < 1) return { kind: 'respond', status: 429, headers: { 'Retry-After': '1' } };
          tokens--;
          return undefined;
        },
      },
    });
  });
  afterAll(async () => {
    await registry.close();
    await home.remove();
  });

  it('finds the cap of a registry, writes its report and takes everything away again', async () => {
    const report = join(home.path, 'report.html');
    const bounds = ['--max-requests', '260', '--max-bytes', '16MiB', '--max-seconds', '60s'];
    const at = `oci://${registry.address}/stress/scratch`;
    const { code, stdout, stderr } = await run(at, ...bounds, '--report', report);
    expect(stderr).toContain('manifest-write at 8/s for 2 s');
    expect(code).toBe(0);
    expect(stdout).toMatch(/manifest-write +\d+(\.\d)?\/s, refused above/);
    expect(stdout).toMatch(/manifest-read +none met up to/);

    const findings = JSON.parse(await readFile(`${report}.json`, 'utf8')) as StressFindings;
    const writes = findings.kinds.find(({ kind }) => kind === 'manifest-write');
    expect(writes?.limit).toBe('cap');
    expect(writes?.perSecond).toBeGreaterThan(CAP_PER_SECOND * 0.7);
    expect(writes?.perSecond).toBeLessThan(CAP_PER_SECOND * 1.5);
    expect(writes?.retryAfterMs).toBe(1000);
    expect(findings.requests).toBeLessThanOrEqual(260);
    expect(findings.bytes).toBeLessThanOrEqual(16 * 1024 ** 2);

    const page = await readFile(report, 'utf8');
    expect(page.match(/<svg/g)?.length).toBe(2 * findings.kinds.length + 1);
    // Lines that have points, and nothing that is loaded from elsewhere.
    expect(page).toMatch(/<path[^>]+d="M[\d.,-]+L/);
    expect(page).not.toMatch(/<script|src="http|href="http|@import|url\(http/);

    const tags = await fetch(`${registry.url}/v2/stress/scratch/tags/list`);
    expect(await tags.json()).toMatchObject({ tags: [] });
    expect(registry.openSessions()).toEqual([]);
    expect(findings.leftovers).toEqual({ tags: 0, blobs: 0 });
  });

  it('does not load a host that is not this machine unless it was agreed to', async () => {
    const { code, stderr } = await run('oci://registry.example.com/a/b');
    expect(code).toBe(2);
    expect(stderr).toMatch(/needs a confirmation.*--yes/);
  });

  it('finds out before the load that its report cannot be written', async () => {
    registry.resetRequestLog();
    const report = join(home.path, 'none', 'report.html');
    const { code, stderr } = await run(`oci://${registry.address}/stress/scratch`, '--report', report);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[FILE_WRITE_FAILED\] .*report\.html: the report cannot be written/);
    expect(existsSync(report)).toBe(false);
    expect(registry.countRequests()).toBe(0);
  });

  it.each([
    ['--max-requests', '0'],
    ['--max-requests', '1e9'],
    ['--max-seconds', 'soon'],
    ['--max-bytes', '-1'],
  ])('refuses %s %s', async (flag, value) => {
    const { code, stderr } = await run(`oci://${registry.address}/a/b`, flag, value);
    expect(code).toBe(2);
    expect(stderr).toContain(flag);
  });
});
