import { afterEach, expect, test } from 'vitest';
import { type ProfileName, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { FAST_RETRY, refOf } from '../engine/rig.ts';

let registry: RunningRegistry;
let open: OpenOciStore;

async function start(profile: ProfileName): Promise<void> {
  registry = await startRegistry({ profile, profileSettings: { repositories: ['*'] } });
  open = openOciStore(`oci://${registry.address}/my/store`, { retry: FAST_RETRY });
}

afterEach(async () => {
  await open.close();
  await registry.close();
});

test('many first manifests that are all refused for their artifactType are all written in the older form', async () => {
  await start('ecr-2023');
  const puts = Array.from({ length: 12 }, (_, n) =>
    open.store.put(refOf(n), bufferSource(Buffer.from(`${n}`), `${n}`)),
  );
  await Promise.all(puts);
  const refusals = registry.requestLog().filter(({ status, method }) => status === 405 && method === 'PUT');
  expect(refusals.length).toBeGreaterThan(1);
  // From then on the first try is the right one.
  registry.resetRequestLog();
  await open.store.put(refOf(99), bufferSource(Buffer.from('last'), 'last'));
  expect(registry.countRequests({ method: 'PUT', route: 'manifest' })).toBe(1);
});

test('a new store is there, where reads lag behind writes', async () => {
  await start('ghcr-stale');
  const config = Buffer.from('configuration');
  await open.store.create(config);
  expect(Buffer.from(await open.store.open())).toEqual(config);
  // Two reads find what was there before the PUT: nothing.
  const reads = registry
    .requestLog()
    .filter(({ method, path }) => method === 'GET' && path.endsWith('/manifests/CONFIG'));
  expect(reads.map(({ status }) => status)).toEqual([404, 404, 404, 200]);
});

test('another process sees what was just written, where it has the patience', async () => {
  await start('ghcr-stale');
  await open.store.put(refOf(1), bufferSource(Buffer.from('packfile'), 'packfile'));
  const location = `oci://${registry.address}/my/store`;
  const hasty = openOciStore(location, { retry: FAST_RETRY });
  const patient = openOciStore(location, { retry: FAST_RETRY, missingPatienceMs: 3000 });
  try {
    await expect(hasty.store.stat(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect((await patient.store.stat(refOf(1))).bytes).toBe(8);
    // What stays missing is told in the end, and a lock at once: locks come and go.
    registry.resetRequestLog();
    const lock = { ...refOf(2), type: 'lock' as const };
    await expect(patient.store.stat(lock)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect(registry.countRequests({ route: 'manifest' })).toBe(1);
  } finally {
    await hasty.close();
    await patient.close();
  }
});
