/** `registry serve --fault`: what the command line takes, and what the process that it starts then does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

describe('registry serve', () => {
  let child: ChildProcess | undefined;
  afterEach(async () => {
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });

  const start = (...args: string[]) => {
    child = spawn(process.execPath, [MAIN, 'registry', 'serve', '--port', '0', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return child;
  };
  const ended = async (...args: string[]) => {
    const started = start(...args);
    let stderr = '';
    started.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(started, 'close');
    return { code, stderr };
  };

  test.each([
    [
      ['--fault', '429@manifest-wrte:every=10'],
      /"manifest-wrte" is no kind of request; the nearest is "manifest-write"/,
    ],
    [
      ['--fault', '503', '--fault', 'drip@blob-read:rate=fast'],
      /fault "drip@blob-read:rate=fast": rate: expected bytes/,
    ],
    [
      ['--fault', '503', '--fault-seed', '-3'],
      /--fault-seed: expected a whole number up to 4294967295, got "-3"/,
    ],
    [['--fault-seed', '5000000000'], /--fault-seed/],
    [['--control', '--host', '0.0.0.0'], /control endpoint is for loopback addresses only/],
  ])('%j is one line of USAGE and exit status 2', async (args, said) => {
    const { code, stderr } = await ended(...args);
    expect(stderr).toMatch(said);
    expect(stderr.trimEnd()).toMatch(/^kloset-oci: \[USAGE\] [^\n]*$/);
    expect(code).toBe(2);
  });

  test('misbehaves as told, and is steered by its control endpoint', async () => {
    const started = start('--json', '--control', '--fault', '503@ping:nth=2', '--fault-seed', '7');
    const lines = createInterface({ input: started.stdout as NodeJS.ReadableStream });
    const [line] = await once(lines, 'line');
    const { url } = JSON.parse(line) as { url: string };
    const ask = (method: string, path: string, body = '') =>
      new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const sent = request(`${url}${path}`, { method, agent: false }, (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
          answer.on('end', () => resolve({ status: answer.statusCode, text }));
        });
        sent.on('error', reject);
        sent.end(body);
      });
    expect((await ask('GET', '/v2/')).status).toBe(200);
    expect((await ask('GET', '/v2/')).status).toBe(503);
    expect(JSON.parse((await ask('GET', '/_kloset-oci/faults')).text)).toEqual({
      seed: 7,
      faults: [{ spec: '503@ping:nth=2', seen: 2, hits: 1 }],
    });
    expect((await ask('PUT', '/_kloset-oci/faults', '404@ping')).status).toBe(200);
    expect((await ask('GET', '/v2/')).status).toBe(404);
  });
});
