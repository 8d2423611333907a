/** SIGKILL at random moments of a push, which is started anew each time. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { openOciStore } from '../../../src/store/openStore.ts';
import { arrivedBytesOf, FAR_AWAY, pushKilled } from '../../support/killedPushes.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { seededBytes } from '../../support/seededBytes.ts';
import { MIB } from '../rig.ts';

const LARGE_BYTES = 96 * MIB + 12_345;
const SMALL_BYTES = 3 * MIB;
const SMALL = 6;
const KILLS = 25;
const SEED = 20_251_123;

let registry: RunningRegistry;
let folder: Scratch;
beforeEach(async () => {
  registry = await startRegistry({ faults: FAR_AWAY });
  folder = await scratch('killed');
});
afterEach(async () => {
  await registry.close();
  await folder.remove();
});

test('a push that is killed 25 times sends every byte of a large file once, and leaves nothing behind', {
  timeout: 300_000,
}, async () => {
  const source = join(folder.path, 'source');
  await mkdir(source);
  const contents = [
    seededBytes(1, LARGE_BYTES),
    ...Array.from({ length: SMALL }, (_, at) => seededBytes(10 + at, SMALL_BYTES)),
  ];
  for (const [at, content] of contents.entries()) await writeFile(join(source, `${at}.bin`), content);

  const pushed = await pushKilled({
    address: registry.address,
    arrivedBytes: () => arrivedBytesOf(registry),
    source,
    sourceBytes: LARGE_BYTES,
    repository: 'killed/push',
    folder: folder.path,
    kills: KILLS,
    seed: SEED,
    chunkBytes: MIB,
  });
  // On a busy machine signals come late.
  expect(pushed.killed).toBeGreaterThanOrEqual(KILLS * 0.6);

  const open = openOciStore(`oci://${registry.address}/killed/push`);
  try {
    for (const content of contents) {
      const mac = createHash('sha256').update(content).digest('hex');
      const finding = await open.store.verify({ type: 'packfile', mac }, { deep: true });
      expect(finding).toMatchObject({ ok: true, bytes: content.length });
    }
  } finally {
    await open.close();
  }

  const log = registry.requestLog();
  const chunks = log.filter(({ method, route }) => method === 'PATCH' && route === 'upload-session');
  expect(chunks.reduce((sum, { requestBytes }) => sum + requestBytes, 0)).toBe(LARGE_BYTES);
  // Only what is not there yet is sent and named, also where the push was killed before it could know.
  const named = log.filter(
    ({ method, route, status }) => method === 'PUT' && route === 'manifest' && status === 201,
  );
  expect(named).toHaveLength(contents.length);
  expect(pushed.journals).toEqual([]);
  // A session whose answer reached nobody is known to nobody; but not one that has bytes.
  expect(registry.openSessions().filter(({ bytes }) => bytes > 0)).toEqual([]);
});
