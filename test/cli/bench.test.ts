import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FaultPlan, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { tagsOf } from '../support/registryState.ts';
import { runCli } from '../support/runCli.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

const KIB = 1024;
const BOUNDS = ['--max-requests', '700', '--max-bytes', '8MiB', '--max-seconds', '60s'];

interface JsonLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

function linesOf(stdout: string): JsonLine[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('bench', () => {
  let registry: RunningRegistry;
  let home: Scratch;
  let location: string;

  beforeAll(async () => {
    home = await scratch('bench');
  });
  afterAll(() => home.remove());
  beforeEach(async () => {
    registry = await startRegistry();
    location = `oci://${registry.address}/my-org/backups`;
  });
  afterEach(() => registry.close());

  /** Tags of every repository that was written to. */
  async function tagsLeft(): Promise<string[]> {
    registry.setFaults(undefined);
    const paths = registry.requestLog().map(({ path }) => /^\/v2\/(.+)\/manifests\//.exec(path)?.[1]);
    const repositories = [...new Set(paths)].filter((repository) => repository !== undefined);
    return (await Promise.all(repositories.map((one) => tagsOf(registry.address, one)))).flat();
  }

  it('tells cost, results, verdict and what it left, and writes a page', async () => {
    const page = join(home.path, 'page.html');
    const { code, stdout, stderr } = await runCli(['bench', location, ...BOUNDS, '--html', page]);
    expect(stderr).toMatch(/rounds of \d+ measurements: \d+ requests and \d+\.\d MiB, in up to 1:00/);
    expect(code).toBe(0);
    expect(stdout).toMatch(/push small x4 +[\d.]+ [KM]iB\/s ± \d+ % +[\d.]+ objects\/s/);
    expect(stdout).toMatch(/list +[\d.]+ ms +\d+ objects/);
    expect(stdout).toMatch(/^(Recommended: --|The default options are right for it\.)/m);
    expect(stdout).toMatch(/No speed of a backup was measured: .*--max-bytes/);
    expect(stdout).toMatch(/Not measured, for the bounds: .*push packfile x1/);
    expect(stdout).toContain(`wrote ${page}`);

    const html = await readFile(page, 'utf8');
    expect(html.match(/<svg/g)).toHaveLength(2);
    // Lines with points, a sample each, and nothing from elsewhere.
    expect(html).toMatch(/<path[^>]+d="M[\d.,-]+L/);
    expect(html.match(/aria-roledescription="point"/g)?.length).toBeGreaterThan(9);
    expect(html).not.toMatch(/<script|src="http|href="http|@import|url\(http|NaN/);
    expect(html).toContain('push small x4');
    expect(await tagsLeft()).toEqual([]);
    expect(registry.openSessions()).toEqual([]);
  });

  it('speaks JSON: the plan, each sample, and a summary with all of it', async () => {
    const { code, stdout } = await runCli(['bench', location, ...BOUNDS, '--json']);
    expect(code).toBe(0);
    const lines = linesOf(stdout);
    const [plan, place] = lines as [{ rounds: number; cells: string[] }, JsonLine];
    const summary = lines.at(-1) as unknown as { results: { rate: { median: number } }[] };
    expect(plan).toMatchObject({ event: 'plan', requests: expect.any(Number), bytes: expect.any(Number) });
    expect(place).toMatchObject({ event: 'place', own: true });
    const samples = lines.filter(({ event }) => event === 'sample');
    expect(samples).toHaveLength(plan.rounds * plan.cells.length);
    expect(summary).toMatchObject({
      event: 'summary',
      requests: registry.countRequests(),
      leftovers: { tags: 0, blobs: 0 },
      recommended: expect.any(Object),
    });
    for (const { rate } of summary.results) expect(rate.median).toBeGreaterThan(0);
  });

  it('takes everything away when it is interrupted, also from a registry that is slow at it', async () => {
    let pid = 0;
    let deletions = 0;
    const later = () => new Promise((resolve) => setTimeout(resolve, 150));
    const slowToDelete: FaultPlan = {
      before: ({ method, route, ordinal }) => {
        if (method === 'PUT' && route === 'manifest' && ordinal === 45) process.kill(pid, 'SIGINT');
        if (method !== 'DELETE') return undefined;
        deletions++;
        return { kind: 'hold', until: later() };
      },
    };
    registry.setFaults(slowToDelete);
    const onStart = (started: number) => {
      pid = started;
    };
    const { code, stderr } = await runCli(['bench', location, ...BOUNDS], { onStart });
    expect(code).toBe(130);
    expect(stderr).toMatch(/interrupted: taking everything away again/);
    expect(deletions).toBeGreaterThan(45);
    expect(await tagsLeft()).toEqual([]);
    expect(registry.openSessions()).toEqual([]);
  });

  it('measures the pace of a slow registry', async () => {
    registry.setFaults({
      request: ({ method, headers }) =>
        method !== 'GET' && Number(headers['content-length'] ?? 0) > 1024 * KIB
          ? { bytesPerSecond: 2048 * KIB }
          : undefined,
    });
    const bounds = ['--max-requests', '3000', '--max-bytes', '32MiB', '--max-seconds', '60s'];
    const { code, stdout } = await runCli(['bench', location, ...bounds, '--json']);
    expect(code).toBe(0);
    const { results } = linesOf(stdout).at(-1) as unknown as {
      results: { name: string; rate: { median: number } }[];
    };
    const large = results.find(({ name }) => name === 'push large x1');
    expect(large?.rate.median).toBeGreaterThan(1024 * KIB);
    expect(large?.rate.median).toBeLessThan(3072 * KIB);
  });

  it('says in one line that a login may only read', async () => {
    await registry.close();
    const reader = { password: 'secret', rights: [{ repositories: '*', actions: ['pull' as const] }] };
    registry = await startRegistry({ auth: { users: { reader }, scheme: 'basic' } });
    const env = { ...process.env, KLOSET_OCI_USERNAME: 'reader', KLOSET_OCI_PASSWORD: 'secret' };
    const { code, stdout, stderr } = await runCli(
      ['bench', `oci://${registry.address}/my-org/backups`, ...BOUNDS, '--json'],
      { env },
    );
    expect(code).toBe(1);
    expect(linesOf(stdout).at(-1)).toMatchObject({ event: 'error', code: 'ACCESS_DENIED' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/\[ACCESS_DENIED\] on 127.*my-org\/backups/);
  });

  it('does not load a host that is not this machine unless it was agreed to', async () => {
    const { code, stderr } = await runCli(['bench', 'oci://registry.example.com/a/b']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/needs a confirmation.*--yes/);
  });

  it('says beforehand that nothing of it can be deleted', async () => {
    const bounds = ['--max-requests', '400', '--max-bytes', '4MiB'];
    const { code, stdout, stderr } = await runCli(['bench', location, '--profile', 'ghcr', ...bounds]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/lets nothing be deleted: what is written stays/);
    // The embedded registry does, whatever it is called.
    expect(stdout).not.toMatch(/Left behind/);
  });

  it('finds out before the load that its page cannot be written', async () => {
    const page = join(home.path, 'none', 'page.html');
    const { code, stderr } = await runCli(['bench', location, '--html', page]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[FILE_WRITE_FAILED\] .*page\.html: the report cannot be written/);
    expect(existsSync(page)).toBe(false);
    expect(registry.countRequests()).toBe(0);
  });

  it.each([
    [['--max-requests', '0'], '--max-requests'],
    [['--max-seconds', 'soon'], '--max-seconds'],
    [['--max-bytes', '-1'], '--max-bytes'],
    [['--max-bytes', '64KiB'], 'Allow at least --max-requests'],
  ])('refuses %s', async (flags, said) => {
    const { code, stderr } = await runCli(['bench', location, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(registry.countRequests()).toBe(0);
  });
});
