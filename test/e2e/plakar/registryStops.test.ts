/**
 * A registry that goes away in the middle. It comes back: the command finishes. It does not: the command fails when the
 * time without progress is over, and what was stored before is all there.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
import { type RealRegistry, startDockerRegistry } from '../../support/realRegistries.ts';
import { startRecorder } from '../../support/recorder.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree, writeTree } from '../../support/seededTree.ts';

const MIB = 1024 * 1024;
const peers = requirePeers(['plakar', 'docker-registry']);
const REPOSITORY = 'stops/store';
const NO_PROGRESS_SECONDS = 30;
const DOWN_SECONDS = 20;
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
    await plakar.create(`oci://${registry.address}/${REPOSITORY}`);
    await plakar.backup(`oci://${registry.address}/${REPOSITORY}`, small);
  });

  afterAll(async () => {
    await plakar?.close();
    await registry?.stop();
    await folder?.remove();
  });

  const store = () => `oci://${registry.address}/${REPOSITORY}`;

  /** Runs a command through a recorder and takes both away when so many bytes have gone. */
  async function interrupted(command: string[], direction: 'sent' | 'received', bytes: number) {
    const recorder = await startRecorder(registry.address);
    const name = `stops-${direction}`;
    const location = `oci://${recorder.address}/${REPOSITORY}`;
    await plakar.run('store', 'add', name, location, `no_progress_timeout=${NO_PROGRESS_SECONDS}s`);
    const running = plakar.attempt(['at', `@${name}`, ...command]);
    try {
      await recorder[direction](bytes);
    } finally {
      await Promise.all([registry.halt(), recorder.close()]);
    }
    const goneMs = performance.now();
    const run = await running;
    // Two time-outs: the host may ask for something more after the first failure.
    expect((performance.now() - goneMs) / 1000).toBeLessThan(2 * NO_PROGRESS_SECONDS + 15);
    await registry.restart();
    return run;
  }

  /** Runs a command and takes the registry away for a while when so many bytes have gone. */
  async function paused(command: string[], direction: 'sent' | 'received', bytes: number) {
    const recorder = await startRecorder(registry.address);
    const running = plakar.attempt(['at', `oci://${recorder.address}/${REPOSITORY}`, ...command]);
    try {
      await recorder[direction](bytes);
      await registry.halt();
      await sleep(DOWN_SECONDS * 1000);
      await registry.restart();
      return await running;
    } finally {
      await recorder.close();
    }
  }

  test('for 20 s in mid-backup and in mid-restore is waited for', async () => {
    const backup = await paused(['backup', large], 'sent', 40 * MIB);
    expect([backup.code, messagesOf(backup)]).toEqual([0, []]);
    const [snapshot = ''] = await plakar.ls(store());
    const target = join(folder.path, 'waited');
    const restore = await paused(['restore', '-to', target, snapshot], 'received', 40 * MIB);
    expect([restore.code, messagesOf(restore)]).toEqual([0, []]);
    expect(await compareTrees(large, target)).toEqual([]);
    await plakar.run('at', store(), 'rm', '-apply', snapshot);
  });

  test('in mid-backup costs that backup only', async () => {
    const run = await interrupted(['backup', large], 'sent', 40 * MIB);
    expect(run.code).not.toBe(0);
    expect(messagesOf(run)).not.toEqual([]);
    expect(messagesOf(run).filter((text) => !GONE.test(text))).toEqual([]);
    expect(await plakar.ls(store())).toHaveLength(1);
    await plakar.check(store());
    await plakar.restore(store(), join(folder.path, 'after-backup'));
    expect(await compareTrees(small, join(folder.path, 'after-backup'))).toEqual([]);
  });

  test('in mid-restore is named, and the restore works when it is back', async () => {
    await plakar.backup(store(), large);
    const [snapshot = ''] = await plakar.ls(store());
    const target = join(folder.path, 'broken');
    const run = await interrupted(['restore', '-to', target, snapshot], 'received', 40 * MIB);
    expect(failedPaths(run)).not.toEqual([]);
    expect(messagesOf(run).filter((text) => !GONE.test(text))).toEqual([]);
    expect(await unreportedDifferences(large, target, run)).toEqual([]);
    await plakar.restore(store(), join(folder.path, 'after-restore'), snapshot);
    expect(await compareTrees(large, join(folder.path, 'after-restore'))).toEqual([]);
  });

  test('leaves no process behind', async () => {
    await plakar.idle();
  });
});
