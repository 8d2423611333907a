import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { cliPath, klosetOci, startKlosetOci, summaryOf } from '../support/cli.ts';
import { runMeasured } from '../support/measured.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

describe('a command that is watched', () => {
  let registry: RunningRegistry;
  let home: Scratch;
  const at = (name: string) => `oci://${registry.address}/observe/${name}`;

  beforeAll(async () => {
    registry = await startRegistry();
    home = await scratch('observe');
    await writeFile(join(home.path, 'one'), seededBytes(1, 300_000));
  });
  afterAll(async () => {
    await registry.close();
    await home.remove();
  });

  it('prints each request with --verbose', async () => {
    registry.resetRequestLog();
    const { stderr } = await klosetOci(['push', home.path, at('verbose'), '--verbose']);
    const lines = stderr.split('\n').filter((line) => /^\d\d:\d\d:\d\d\.\d{3} [A-Z]+ /.test(line));
    expect(lines).toHaveLength(registry.countRequests());
    expect(lines.some((line) => /PUT .*\/manifests\/packfiles-.*: 201 after \d+ ms/.test(line))).toBe(true);
  });

  it('says in its summary what it had to wait for', async () => {
    registry.setFaults({
      before: ({ route, method, ordinal }) =>
        route === 'manifest' && method === 'PUT' && ordinal === 0
          ? { kind: 'respond', status: 429, headers: { 'Retry-After': '1' } }
          : undefined,
    });
    const { stdout } = await klosetOci(['push', home.path, at('throttled'), '--json']);
    registry.setFaults(undefined);
    const summary = summaryOf(stdout);
    expect(summary.throttled).toBe(1);
    const waited = Object.values(summary.waitSeconds).reduce((sum, seconds) => sum + seconds, 0);
    expect(waited).toBeGreaterThanOrEqual(1);
  });

  it('serves its metrics while it runs', async () => {
    const released = Promise.withResolvers<void>();
    registry.resetRequestLog();
    registry.setFaults({
      before: ({ route, method }) =>
        route === 'manifest' && method === 'PUT' ? { kind: 'hold', until: released.promise } : undefined,
    });
    const running = startKlosetOci(['push', home.path, at('metrics'), '--metrics-port', '0']);
    const [, url = ''] = await running.waitForLine(/^metrics at (\S+)$/);
    // The blob has been sent once its manifest is on its way.
    while (registry.countRequests({ route: 'manifest', method: 'PUT' }) === 0)
      await new Promise((resolve) => setImmediate(resolve));
    const answer = await fetch(url);
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(text).toMatch(/kloset_oci_requests_total\{host="[^"]+",kind="upload-\w+",status="201"\} [12]/);
    expect(text).toMatch(/kloset_oci_sent_bytes_total\{host="[^"]+",kind="upload-\w+"\} 30000\d/);
    expect(text).toMatch(/kloset_oci_resident_bytes \d+/);
    expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
    released.resolve();
    registry.setFaults(undefined);
    expect(await running.exited).toMatchObject({ code: 0 });
  });

  it('refuses a port of the metrics that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const args = [cliPath(), 'ls', at('taken'), '--metrics-port', String(port)];
    const { code, stderr } = await runMeasured(process.execPath, args);
    server.close();
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /\[USAGE\] 127\.0\.0\.1:\d+: the port of the metrics cannot be had.*--metrics-port/,
    );
  });
});
