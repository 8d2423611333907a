/**
 * plakar on a registry of which 9 % of all requests come to nothing, whatever they are: what it costs beside the same
 * registry in health. 63 MiB, or 504 MiB with KLOSET_OCI_LONG=1.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { connectorPackage } from '../../support/connectors.ts';
import { type FlakyPlan, flakyPlan } from '../../support/flakyPlan.ts';
import { requirePeers } from '../../support/peers.ts';
import { openPlakar, type Plakar } from '../../support/plakar.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { compareTrees, writeSmallTree } from '../../support/seededTree.ts';

const LONG = process.env.KLOSET_OCI_LONG === '1';
/** Minutes of load: for those who ask for them. */
const ASKED = LONG || process.env.KLOSET_OCI_CHAOS === '1';
/** Of 9 MiB in 90 files each. */
const BRANCHES = LONG ? 56 : 7;
const STALL_MS = 2000;
const peers = requirePeers(['plakar']);

/** As the store does it by itself, and in so many requests that chunks are struck as often as all else. */
const FORMS = { default: [], chunked: ['upload_mode=chunked', 'chunk_size=1MiB'] } as const;

/** What a backup and a restore have cost. */
interface Cost {
  readonly seconds: number;
  readonly requests: number;
}

describe.skipIf(!peers.found || !ASKED)('a registry that fails at random', () => {
  let folder: Scratch;
  let registry: RunningRegistry;
  let plakar: Plakar;
  let tree: string;

  beforeAll(async () => {
    folder = await scratch('e2e-flaky');
    tree = join(folder.path, 'tree');
    for (let i = 0; i < BRANCHES; i++) await writeSmallTree(join(tree, `branch-${i}`), i * 1000);
    registry = await startRegistry({ directory: join(folder.path, 'registry') });
    plakar = await openPlakar({ connector: connectorPackage('ours') });
  });

  afterAll(async () => {
    await plakar?.close();
    await registry?.close();
    await folder?.remove();
  });

  /** Creates a store, fills it and reads it back. */
  async function throughPlakar(name: string, options: readonly string[], plan?: FlakyPlan): Promise<Cost> {
    const store = `@${name}`;
    const location = `oci://${registry.address}/flaky/${name}`;
    await plakar.run('store', 'add', name, location, `stall_timeout=${STALL_MS}ms`, ...options);
    registry.setFaults(plan);
    registry.resetRequestLog();
    try {
      const startedMs = performance.now();
      await plakar.create(store);
      await plakar.backup(store, tree);
      const target = join(folder.path, `restored-${name}`);
      await plakar.restore(store, target);
      const seconds = (performance.now() - startedMs) / 1000;
      const requests = registry.countRequests();
      expect(await compareTrees(tree, target)).toEqual([]);
      await rm(target, { recursive: true });
      return { seconds, requests };
    } finally {
      registry.setFaults(undefined);
    }
  }

  test('costs a backup and a restore little more than what it breaks', {
    timeout: LONG ? 1_800_000 : 240_000,
  }, async () => {
    const sum = { clean: { seconds: 0, requests: 0 }, flaky: { seconds: 0, requests: 0 }, stalledSeconds: 0 };
    const struck = { errors: 0, resets: 0, stalls: 0 };
    for (const [seed, [form, options]] of Object.entries(FORMS).entries()) {
      const plan = flakyPlan(seed);
      const clean = await throughPlakar(`${form}-clean`, options);
      const flaky = await throughPlakar(`${form}-flaky`, options, plan);
      const stalledSeconds = plan.stalledMs(STALL_MS) / 1000;
      for (const part of ['seconds', 'requests'] as const) {
        sum.clean[part] += clean[part];
        sum.flaky[part] += flaky[part];
      }
      sum.stalledSeconds += stalledSeconds;
      const { errors, resets, stalls } = plan.struck();
      console.log(
        `${form}, ${9 * BRANCHES} MiB: ${errors} server errors, ${resets} resets, ${stalls} stalls; ` +
          `${flaky.requests} requests beside ${clean.requests}; ` +
          `${flaky.seconds.toFixed(1)} s, ${stalledSeconds.toFixed(1)} s of it stalled, beside ${clean.seconds.toFixed(1)} s`,
      );
      for (const [kind, count] of Object.entries(plan.struck())) struck[kind as keyof typeof struck] += count;
    }
    expect(Math.min(...Object.values(struck))).toBeGreaterThan(0);
    expect(sum.flaky.requests / sum.clean.requests).toBeLessThanOrEqual(1.25);
    expect((sum.flaky.seconds - sum.stalledSeconds) / sum.clean.seconds).toBeLessThanOrEqual(2);
  });
});
