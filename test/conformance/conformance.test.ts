import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startRegistry } from '../../src/emulator/index.ts';

const peers = process.env.KLOSET_OCI_PEERS;
const binary = peers === undefined ? undefined : join(peers, 'conformance');
const reason =
  binary === undefined
    ? 'KLOSET_OCI_PEERS is not set'
    : existsSync(binary)
      ? undefined
      : `${binary} is missing`;

interface Counts {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
}

/** Runs the suite of the specification's `dev` version, which is a superset of the released one. */
async function runSuite(program: string, address: string, results: string): Promise<Counts> {
  const settings = {
    OCI_REGISTRY: address,
    OCI_TLS: 'disabled',
    OCI_REPO1: 'c/a',
    OCI_REPO2: 'c/b',
    OCI_VERSION: 'dev',
    OCI_RESULTS_DIR: results,
  };
  await new Promise<void>((resolve) => {
    // The exit status says no more than the report, and the report says which test it was.
    const env = { ...process.env, ...settings };
    execFile(program, { env, cwd: results, maxBuffer: 64 << 20 }, () => resolve());
  });
  const report = await readFile(join(results, 'junit.xml'), 'utf8');
  const suite = /<testsuite [^>]*>/.exec(report)?.[0] ?? '';
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? Number.NaN);
  return {
    tests: count('tests'),
    failures: count('failures'),
    errors: count('errors'),
    skipped: Number(/\bskipped="(\d+)"/.exec(suite)?.[1] ?? 0),
  };
}

describe('the conformance suite of the distribution specification', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-conformance-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test.for(['memory', 'directory'])('passes in %s mode', async (mode, { skip }) => {
    if (binary === undefined || reason !== undefined) {
      if (process.env.CI) throw new Error(`the conformance suite cannot run: ${reason}`);
      process.stdout.write(`conformance: skipped, ${reason}\n`);
      return skip(reason);
    }
    const registry = await startRegistry(mode === 'memory' ? {} : { directory: join(folder, 'registry') });
    try {
      const { tests, failures, errors, skipped } = await runSuite(binary, registry.address, folder);
      process.stdout.write(
        `conformance: ${tests} tests, ${failures} failures, ${skipped} skipped (${mode}, ${errors} errors)\n`,
      );
      expect(tests).toBeGreaterThan(0);
      expect(failures).toBe(0);
      expect(errors).toBe(0);
    } finally {
      await registry.close();
    }
  });
});
