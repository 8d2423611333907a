/**
 * SIGKILL at random moments of a push to real registries, started anew each time. With KLOSET_OCI_LONG=1 also 200 times
 * in a push of 1 GiB to the embedded one.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startRegistry } from '../../src/emulator/index.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { arrivedBytesOf, FAR_AWAY, pushKilled } from '../support/killedPushes.ts';
import { requirePeers } from '../support/peers.ts';
import { REGISTRIES } from '../support/realRegistries.ts';
import { startRecorder } from '../support/recorder.ts';
import { openUploads } from '../support/registryState.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { startToxiproxy } from '../support/toxiproxy.ts';

const MIB = 1024 * 1024;
const CHUNK_BYTES = 4 * MIB;
const LONG = process.env.KLOSET_OCI_LONG === '1';
/** At full speed a push is over before so many signals can reach it. */
const UPLOAD_KIB_PER_S = 100 * 1024;
const peers = requirePeers(['registry3', 'zot', 'docker-registry', 'toxiproxy-server']);

let folder: Scratch;
beforeEach(async () => {
  folder = await scratch('e2e-killed-push');
});
afterEach(() => folder.remove());

async function writeSource(bytes: number): Promise<{ path: string; mac: string }> {
  const content = seededBytes(1, bytes);
  const mac = createHash('sha256').update(content).digest('hex');
  // Under its own name it need not be read to know what it is called: the kill comes while it is sent.
  const path = join(folder.path, mac);
  await writeFile(path, content);
  return { path, mac };
}

async function verify(address: string, mac: string, bytes: number): Promise<void> {
  const open = openOciStore(`oci://${address}/killed/push`);
  try {
    expect(await open.store.verify({ type: 'packfile', mac }, { deep: true })).toMatchObject({
      ok: true,
      bytes,
    });
  } finally {
    await open.close();
  }
}

describe.skipIf(!peers.found)('a push that is killed', () => {
  // Sessions live through a broken chunk (distribution 3), die of it (zot), or die of being asked (distribution 2.8).
  for (const name of ['distribution3', 'zot', 'docker-registry'] as const) {
    test(`8 times ends well on ${name}`, async () => {
      const registry = await REGISTRIES[name].start();
      const toxiproxy = await startToxiproxy();
      const { address } = await toxiproxy.proxy(registry.address, { uploadKiBps: UPLOAD_KIB_PER_S });
      const recorder = await startRecorder(address);
      try {
        const bytes = 160 * MIB + 77;
        const { path, mac } = await writeSource(bytes);
        const { killed, journals, result } = await pushKilled({
          address: recorder.address,
          arrivedBytes: () => recorder.sentBytes,
          source: path,
          sourceBytes: bytes,
          repository: 'killed/push',
          folder: folder.path,
          kills: 8,
          seed: 3,
          chunkBytes: CHUNK_BYTES,
        });
        const { sentBytes } = recorder;
        console.log(
          `${name}: killed ${killed} times, ${sentBytes} bytes sent for ${bytes}, the last run continued at ${result.resumedBytes}`,
        );
        if (name === 'distribution3') {
          // A kill behind the last answer leaves nothing to continue; and each costs one chunk at most.
          if (result.skipped === 0) expect(result.resumedBytes).toBeGreaterThan(0);
          expect(sentBytes).toBeLessThan(bytes + (killed + 1) * CHUNK_BYTES);
        }
        expect(killed).toBeGreaterThan(0);
        await verify(registry.address, mac, bytes);
        expect(journals).toEqual([]);
        // distribution 2.8 keeps files of sessions that were cancelled while a body was still arriving.
        if (name !== 'docker-registry') expect(await openUploads(registry)).toEqual([]);
      } finally {
        await recorder.close();
        await toxiproxy.stop();
        await registry.stop();
      }
    });
  }
});

test.runIf(LONG)(
  'a push of 1 GiB that is killed 200 times sends every byte once',
  { timeout: 1_800_000 },
  async () => {
    const registry = await startRegistry({ directory: join(folder.path, 'registry'), faults: FAR_AWAY });
    try {
      const bytes = 1024 * MIB;
      const { path, mac } = await writeSource(bytes);
      const { killed, journals } = await pushKilled({
        address: registry.address,
        arrivedBytes: () => arrivedBytesOf(registry),
        source: path,
        sourceBytes: bytes,
        repository: 'killed/push',
        folder: folder.path,
        kills: 200,
        seed: 1,
        chunkBytes: MIB,
      });
      const sent = registry
        .requestLog()
        .filter(({ method, route }) => method === 'PATCH' && route === 'upload-session')
        .reduce((sum, { requestBytes }) => sum + requestBytes, 0);
      console.log(`killed ${killed} times, ${sent} of ${bytes} bytes sent`);
      expect(killed).toBeGreaterThanOrEqual(180);
      expect(sent).toBe(bytes);
      await verify(registry.address, mac, bytes);
      expect(journals).toEqual([]);
      expect(registry.openSessions().filter((session) => session.bytes > 0)).toEqual([]);
    } finally {
      await registry.close();
    }
  },
);
