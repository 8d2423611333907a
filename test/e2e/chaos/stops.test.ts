/** A registry that goes away in the middle of a backup or a restore: for a while, and for good. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectorPackage } from '../../support/connectors.ts';
import { requirePeers } from '../../support/peers.ts';
import {
  failedPaths,
  messagesOf,
  openPlakar,
  type Plakar,
  unreportedDifferences,
} from '../../support/plakar.ts';
import type { Running } from '../../support/processes.ts';
import { type RealRegistry, startDockerRegistry } from '../../support/realRegistries.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree, writeTree } from '../../support/seededTree.ts';
import { wroteMore } from '../../support/writtenBytes.ts';

const MIB = 1024 * 1024;
const OUTAGE_MS = 20_000;
const NO_PROGRESS_MS = 30_000;
/** What the host does after the plugin's error, and the plugin before its first failure. */
const ROUND_IT_MS = 15_000;
const peers = requirePeers(['plakar', 'docker-registry']);
/** What a registry that is gone looks like: first its connections break, then there are none. */
const GONE = /^\[(CONNECTION_LOST|REGISTRY_UNREACHABLE|CANCELLED)\]/;

describe.skipIf(!peers.found)('a registry that stops', () => {
  let folder: Scratch;
  let registry: RealRegistry;
  let plakar: Plakar;
  let small: string;
  let large: string;

  beforeAll(async () => {
    folder = await scratch('e2e-stops');
    small = join(folder.path, 'small');
    large = join(folder.path, 'large');
    await writeSmallTree(small);
    await writeTree(large);
    registry = await startDockerRegistry();
    plakar = await openPlakar({ connector: connectorPackage('ours') });
    const location = `oci://${registry.address}/stops/store`;
    await plakar.run('store', 'add', 'patient', location);
    await plakar.run('store', 'add', 'hasty', location, `no_progress_timeout=${NO_PROGRESS_MS}ms`);
    await plakar.create('@patient');
    await plakar.backup('@patient', small);
  });

  afterAll(async () => {
    await plakar?.close();
    await registry?.stop();
    await folder?.remove();
  });

  /** Starts a command and ends the registry, at once and without a goodbye, when it has written so many bytes for it. */
  async function stoppedIn(command: readonly string[], bytes: number): Promise<Running> {
    const far = wroteMore(registry.pid, bytes);
    const running = plakar.start('at', ...command);
    await Promise.race([far, running.exited]);
    await registry.halt();
    return running;
  }

  async function endOf(running: Running) {
    const startedMs = performance.now();
    const { code } = await running.exited;
    const text = running.output();
    const run = { code: code ?? -1, seconds: 0, cpuSeconds: 0, peakRssBytes: 0, stdout: '', stderr: text };
    return { ...run, waitedMs: performance.now() - startedMs };
  }

  test('for good in mid-backup ends that backup in time, and costs no more', async () => {
    const run = await endOf(await stoppedIn(['@hasty', 'backup', large], 40 * MIB));
    console.log(
      `backup, stopped for good: ended after ${(run.waitedMs / 1000).toFixed(1)} s`,
      messagesOf(run),
    );
    await registry.restart();
    expect(run.code).not.toBe(0);
    expect(messagesOf(run).filter((text) => !GONE.test(text))).toEqual([]);
    expect(messagesOf(run).some((text) => text.includes('without progress for 30 s'))).toBe(true);
    expect(run.waitedMs).toBeGreaterThan(NO_PROGRESS_MS / 2);
    expect(run.waitedMs).toBeLessThan(NO_PROGRESS_MS + ROUND_IT_MS);
    expect(await plakar.ls('@patient')).toHaveLength(1);
    await plakar.check('@patient');
    await plakar.restore('@patient', join(folder.path, 'after-backup'));
    expect(await compareTrees(small, join(folder.path, 'after-backup'))).toEqual([]);
  });

  test('for 20 s in mid-backup is waited for', async () => {
    const running = await stoppedIn(['@patient', 'backup', large], 40 * MIB);
    await delay(OUTAGE_MS);
    await registry.restart();
    const run = await endOf(running);
    console.log(`backup, stopped for 20 s: went on for ${(run.waitedMs / 1000).toFixed(1)} s`);
    expect(run).toMatchObject({ code: 0 });
    await plakar.check('@patient');
  });

  test('for 20 s in mid-restore is waited for', async () => {
    const [snapshot = ''] = await plakar.ls('@patient');
    const target = join(folder.path, 'restored');
    await mkdir(target);
    const running = await stoppedIn(['@patient', 'restore', '-to', target, snapshot], 40 * MIB);
    await delay(OUTAGE_MS);
    await registry.restart();
    const run = await endOf(running);
    console.log(`restore, stopped for 20 s: went on for ${(run.waitedMs / 1000).toFixed(1)} s`);
    expect(run).toMatchObject({ code: 0 });
    expect(await compareTrees(large, target)).toEqual([]);
  });

  test('for good in mid-restore is named in time, with every file that is not right', async () => {
    const [snapshot = ''] = await plakar.ls('@patient');
    const target = join(folder.path, 'broken');
    await mkdir(target);
    const run = await endOf(await stoppedIn(['@hasty', 'restore', '-to', target, snapshot], 40 * MIB));
    console.log(
      `restore, stopped for good: ended after ${(run.waitedMs / 1000).toFixed(1)} s`,
      messagesOf(run).slice(0, 3),
    );
    await registry.restart();
    expect(failedPaths(run)).not.toEqual([]);
    expect(messagesOf(run).filter((text) => !GONE.test(text))).toEqual([]);
    expect(run.waitedMs).toBeGreaterThan(NO_PROGRESS_MS / 2);
    expect(run.waitedMs).toBeLessThan(NO_PROGRESS_MS + ROUND_IT_MS);
    expect(await unreportedDifferences(large, target, run)).toEqual([]);
  });

  test('leaves no process behind', async () => {
    await plakar.idle();
  });
});
