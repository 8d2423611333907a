/**
 * A backup that failed, and the one of the same files after it. plakar 1.1.4 takes the state of a failed backup into
 * its own cache, whatever the storage has answered: the next backup sends nothing that it believes to be stored. So
 * whatever was acknowledged has to be there, also when the backup that sent it came to nothing.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FaultPlan, type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { connectorPackage } from '../../support/connectors.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar, type Plakar, pluginsOf } from '../../support/plakar.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const peers = requirePeers(['plakar']);
/** By then a host that was told that its packfiles are stored has sent the state that names them. */
const STATE_SENT_MS = 3000;

/** Strikes at each manifest under a tag that begins so. */
function atManifests(prefix: string, action: NonNullable<FaultPlan['before']>): FaultPlan {
  return {
    before: (exchange) =>
      exchange.method === 'PUT' && exchange.route === 'manifest' && exchange.reference?.startsWith(prefix)
        ? action(exchange)
        : undefined,
  };
}

describe.skipIf(!peers.found)('the backup after one that failed', () => {
  let folder: Scratch;
  let registry: RunningRegistry;
  let plakar: Plakar;
  let store: string;
  let tree: string;
  beforeEach(async () => {
    folder = await scratch('e2e-after-failure');
    registry = await startRegistry();
    plakar = await openPlakar({ connector: connectorPackage('ours') });
    store = `oci://${registry.address}/after/failure`;
    tree = join(folder.path, 'tree');
    await writeSmallTree(tree);
    await plakar.create(store);
  });
  afterEach(async () => {
    await plakar.close();
    await registry.close();
    await folder.remove();
  });

  /**
   * What failed must have left nothing that the next backup relies on and that is not there; seen from another home too,
   * since plakar reads from a cache here what it would have to find in the store there.
   */
  async function backUpAgain(): Promise<void> {
    registry.setFaults(undefined);
    await plakar.backup(store, tree);
    const elsewhere = await openPlakar({ connector: connectorPackage('ours') });
    try {
      for (const one of [plakar, elsewhere]) {
        const [snapshot] = await one.ls(store);
        const target = join(folder.path, one === plakar ? 'here' : 'elsewhere');
        await one.restore(store, target, snapshot);
        expect(await compareTrees(tree, target)).toEqual([]);
        await one.check(store);
      }
    } finally {
      await elsewhere.close();
    }
  }

  test('whose packfiles the registry refused is whole', async () => {
    registry.setFaults(atManifests('packfiles-', () => ({ kind: 'respond', status: 403 })));
    const { code } = await plakar.start('at', store, 'backup', tree).exited;
    expect(code).not.toBe(0);
    await backUpAgain();
  });

  test('whose packfiles the registry refused late is whole', async () => {
    registry.setFaults(
      atManifests('packfiles-', () => ({
        kind: 'hold',
        until: delay(STATE_SENT_MS),
        next: { kind: 'respond', status: 403 },
      })),
    );
    const { code } = await plakar.start('at', store, 'backup', tree).exited;
    expect(code).not.toBe(0);
    await backUpAgain();
  });

  test('whose state the registry refused is whole', async () => {
    registry.setFaults(atManifests('state-', () => ({ kind: 'respond', status: 403 })));
    const { code } = await plakar.start('at', store, 'backup', tree).exited;
    expect(code).not.toBe(0);
    await backUpAgain();
  });

  test.each([
    ['its packfiles were', 'packfiles-', STATE_SENT_MS],
    ['its state was', 'state-', 0],
  ])('whose plugin was killed while %s on the way is whole', async (_, prefix, waitMs) => {
    const held = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const plan = atManifests(prefix, () => {
      held.resolve();
      return { kind: 'hold', until: release.promise, next: { kind: 'reset' } };
    });
    registry.setFaults(plan);
    const backup = plakar.start('at', store, 'backup', tree);
    await held.promise;
    await delay(waitMs);
    for (const pid of await pluginsOf(backup.pid)) process.kill(pid, 'SIGKILL');
    const { code } = await backup.exited;
    release.resolve();
    expect(code).not.toBe(0);
    await backUpAgain();
  });
});
