/** Ctrl-C in the middle of a push leaves nothing open on the registry. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKlosetOci } from '../support/cli.ts';
import { requirePeers } from '../support/peers.ts';
import { REGISTRIES } from '../support/realRegistries.ts';
import { startRecorder } from '../support/recorder.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { startToxiproxy, type Toxiproxy } from '../support/toxiproxy.ts';

const MIB = 1024 * 1024;
const peers = requirePeers(['toxiproxy-server', 'docker-registry']);

describe.skipIf(!peers.found)('an interrupted push', () => {
  let folder: Scratch;
  let toxiproxy: Toxiproxy;
  let source: string;

  beforeAll(async () => {
    folder = await scratch('e2e-interrupted');
    source = join(folder.path, 'source');
    await mkdir(source);
    for (let i = 0; i < 8; i++) await writeFile(join(source, `${i}.bin`), seededBytes(i, 16 * MIB));
    toxiproxy = await startToxiproxy();
  });

  afterAll(async () => {
    await toxiproxy?.stop();
    await folder?.remove();
  });

  for (const name of ['embedded', 'docker-registry'] as const) {
    for (const mode of ['auto', 'chunked', 'monolithic']) {
      test(`${mode} to ${name} ends with 130 within 2 s and closes its sessions`, async () => {
        const registry = await REGISTRIES[name].start();
        const slow = await toxiproxy.proxy(registry.address, { roundTripMs: 20, uploadKiBps: 2048 });
        const recorder = await startRecorder(slow.address);
        try {
          const location = `oci://${recorder.address}/interrupted/${mode}`;
          const push = startKlosetOci(['push', source, location, '--upload-mode', mode, '--json']);
          await recorder.sent(3 * MIB);
          const began = performance.now();
          push.signal('SIGINT');
          expect(await push.exited).toEqual({ code: 130, signal: null });
          expect(performance.now() - began).toBeLessThan(2000);
          // The embedded registry takes a blob with the first request: there, `auto` opens no session.
          if (name !== 'embedded' || mode !== 'auto') expect(recorder.sessions).not.toHaveLength(0);
          const statuses = recorder.sessions.map(async (path) => {
            const answer = await fetch(`http://${registry.address}${path}`);
            await answer.arrayBuffer();
            return answer.status;
          });
          expect(await Promise.all(statuses)).toEqual(recorder.sessions.map(() => 404));
        } finally {
          await recorder.close();
          await slow.close();
          await registry.stop();
        }
      });
    }
  }
});
