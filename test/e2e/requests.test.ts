/** How many requests a packfile costs, counted by a proxy and not by us. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { klosetOci, summaryOf } from '../support/cli.ts';
import { requirePeers } from '../support/peers.ts';
import { REGISTRIES, type RegistryName } from '../support/realRegistries.ts';
import { startRecorder } from '../support/recorder.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

const PACKFILES = 24;
/** What a push may cost besides its packfiles: ping, tag list, the shared config blob and first-contact retries. */
const ONCE = 8;

describe('requests of a push in which one chunk carries each packfile', () => {
  let folder: Scratch;

  beforeAll(async () => {
    folder = await scratch('e2e-requests');
    await mkdir(join(folder.path, 'source'));
    for (let i = 0; i < PACKFILES; i++) {
      const name = seededBytes(900 + i, 32).toString('hex');
      await writeFile(join(folder.path, 'source', name), seededBytes(i, 1024 * 1024 + i));
    }
  });

  afterAll(() => folder?.remove());

  for (const name of Object.keys(REGISTRIES) as RegistryName[]) {
    const needed = requirePeers(REGISTRIES[name].peers);
    test.skipIf(!needed.found)(`${name}: at most 3 per packfile`, async () => {
      const registry = await REGISTRIES[name].start();
      const recorder = await startRecorder(registry.address);
      try {
        const location = `oci://${recorder.address}/requests/one`;
        const run = await klosetOci(['push', join(folder.path, 'source'), location, '--json']);
        const total = recorder.requests.length;
        console.info(`${name}: ${total} requests for ${PACKFILES} packfiles`);
        expect(total).toBeLessThanOrEqual(3 * PACKFILES + ONCE);
        const counted = Object.values(summaryOf(run.stdout).requests).reduce((sum, n) => sum + n, 0);
        expect(counted).toBe(total);
      } finally {
        await recorder.close();
        await registry.stop();
      }
    });
  }
});
