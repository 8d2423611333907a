import { spawn } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The command fails with one message that says all of this, without a stack. */
async function fails(args: string[], exit: number, ...said: RegExp[]): Promise<void> {
  const ended = await run(...args);
  for (const pattern of said) expect(ended.stderr).toMatch(pattern);
  expect(ended.stderr).not.toMatch(/\n\s+at /);
  expect(ended.code).toBe(exit);
}

describe('bad input', () => {
  let registry: RunningRegistry;
  let web: Server;
  let webAddress: string;
  let folder: string;
  let file: string;

  beforeAll(async () => {
    registry = await startRegistry();
    web = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>welcome</h1></html>');
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    webAddress = `127.0.0.1:${(web.address() as AddressInfo).port}`;
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-cli-'));
    file = join(folder, 'file');
    await writeFile(file, 'content');
    await symlink(join(folder, 'nowhere'), join(folder, 'broken'));
  });
  afterAll(async () => {
    await registry.close();
    await new Promise((resolve) => web.close(resolve));
    await rm(folder, { recursive: true });
  });

  const at = (path: string) => `oci://${registry.address}/${path}`;

  it('a source that is missing, or a link to nowhere', async () => {
    await fails(['push', join(folder, 'absent'), at('a/b')], 1, /SOURCE_MISSING/, /absent/, /Check the path/);
    await fails(['push', join(folder, 'broken'), at('a/b')], 1, /SOURCE_MISSING/, /broken/);
  });

  it('a location without a repository, with an illegal one, or without a scheme', async () => {
    await fails(
      ['push', file, `oci://${registry.address}`],
      2,
      /LOCATION_INVALID/,
      /repository is missing/,
      /looks like/,
    );
    await fails(['ls', at('UPPER/case')], 2, /LOCATION_INVALID/, /UPPER/);
    await fails(['ls', 'localhost/a'], 2, /LOCATION_INVALID/, /oci:\/\//);
  });

  it('a registry that is not there', async () => {
    const gone = await startRegistry();
    await gone.close();
    await fails(
      ['ls', `oci://${gone.address}/a/b`],
      1,
      /REGISTRY_UNREACHABLE/,
      /ECONNREFUSED/,
      /registry runs/,
    );
  });

  it('a web server that is no registry', async () => {
    for (const command of ['ls', 'stat']) {
      await fails([command, `oci://${webAddress}/a/b`], 1, /REGISTRY_FOREIGN/, new RegExp(webAddress));
    }
    await fails(['push', file, `oci://${webAddress}/a/b`], 1, /REGISTRY_FOREIGN/);
  });

  it('TLS to a plain port', async () => {
    await fails(['ls', at('a/b'), '--use-tls', 'true'], 1, /TLS_MISMATCH/, /--use-tls false/);
  });

  it('values that flags do not take', async () => {
    await fails(['ls', at('a/b'), '--concurrency', '0'], 2, /whole number/);
    await fails(['ls', at('a/b'), '--memory', 'much'], 2, /expected a size/);
    await fails(['ls', at('a/b'), '--upload-mode', 'fast'], 2, /auto, chunked or monolithic/);
    await fails(['ls', at('a/b'), '--profile', 'ghrc'], 2, /did you mean ghcr\?/);
    await fails(
      ['ls', at('a/b'), '--profile', 'something'],
      2,
      /expected auto, dockerhub, .* or generic, got "something"\./,
    );
    await fails(['lss'], 2, /Did you mean ls/);
    await fails(['push'], 2, /source/);
  });

  it('no store to pull, to look at or to verify', async () => {
    await fails(['pull', at('empty/place'), join(folder, 'copy')], 1, /STORE_MISSING/, /empty\/place/);
    await fails(['verify', at('empty/place')], 1, /STORE_MISSING/);
  });

  it('a second create, and a deletion that nobody confirmed or that names no MAC', async () => {
    expect((await run('create', at('x/y'), '--config', file)).code).toBe(0);
    await fails(['create', at('x/y'), '--config', file], 1, /STORE_EXISTS/, /nothing was changed/);
    await fails(['rm', at('x/y'), '--type', 'lock', 'ab'], 2, /OBJECT_NAME_INVALID/, /64 hex/);
    await fails(['rm', at('x/y'), '--type', 'lock', 'a'.repeat(64)], 2, /--yes/);
    await fails(['rm', at('x/y'), '--type', 'lock', 'a'.repeat(64), '--yes'], 1, /OBJECT_MISSING/);
  });

  it('ends push and verify with a summary in JSON', async () => {
    const pushed = await run('push', file, at('json/store'), '--json');
    const last = JSON.parse(pushed.stdout.trim().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({
      event: 'summary',
      objects: 1,
      skipped: 0,
      bytes: 7,
      seconds: expect.any(Number),
      requests: { 'manifest-write': 1 },
      retries: 0,
      hasher: expect.stringMatching(/^(native|wasm)$/),
      uploadMode: 'auto',
      peakRssBytes: expect.any(Number),
    });
    const failed = await run('verify', at('json/store'), '--json');
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout.trim())).toMatchObject({ event: 'error', code: 'STORE_MISSING' });
  });

  it('a target that cannot be a folder', async () => {
    expect((await run('create', at('full/store'), '--config', file)).code).toBe(0);
    await writeFile(join(folder, 'occupied'), '');
    await fails(['pull', at('full/store'), join(folder, 'occupied')], 1, /FILE_WRITE_FAILED/, /occupied/);
  });
});
