import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Exchange, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import type { UploadMode } from '../../src/registry/profiles.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { openUpload } from '../emulator/support.ts';
import { refOf } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

const REPOSITORY = 'kloset/store';
const isUpload = ({ route, method }: Exchange) => route === 'upload-session' && method !== 'DELETE';

let registry: RunningRegistry;
beforeEach(async () => {
  registry = await startRegistry();
});
afterEach(() => registry.close());

describe('a store that ends while the blob that its manifests share is on its way', () => {
  it.each<[string, UploadMode, 'takes it' | 'ignores it' | 'refuses it']>([
    ['in chunks', 'chunked', 'takes it'],
    ['in one body', 'monolithic', 'refuses it'],
    ['after a POST that ignored it', 'auto', 'ignores it'],
    ['after a POST that was refused', 'auto', 'refuses it'],
  ])('leaves no upload session: %s', async (_, uploadMode, post) => {
    // A registry that ignores the body of a POST opens a session, as distribution does.
    const session = post === 'ignores it' ? await openUpload(registry, REPOSITORY) : '';
    registry.setFaults({
      before: (exchange) => {
        if (isUpload(exchange)) return { kind: 'stall' };
        if (exchange.route !== 'upload-start' || !exchange.query.has('digest')) return undefined;
        if (post === 'ignores it') return { kind: 'respond', status: 202, headers: { location: session } };
        return post === 'refuses it' ? { kind: 'respond', status: 400 } : undefined;
      },
    });
    const open = openOciStore(`oci://${registry.address}/${REPOSITORY}`, { uploadMode, hasher: 'native' });
    open.store.prepareUploads();
    await vi.waitFor(
      () => expect(registry.countRequests({ route: 'upload-session' })).toBeGreaterThan(0),
      5000,
    );
    expect(registry.openSessions()).toHaveLength(1);
    await open.close();
    expect(registry.openSessions()).toEqual([]);
  });
});

describe('a store that knows the forms of its registry', () => {
  it.each([true, false])('puts one object at a time (a single POST works: %o)', async (singlePost) => {
    const options = { concurrency: 1, hasher: 'native' } as const;
    const open = openOciStore(`oci://${registry.address}/${REPOSITORY}`, options);
    open.coordinator.host(`http://${registry.address}`).seed({ singlePost });
    await Promise.all(
      [1, 2, 3].map((number) => open.store.put(refOf(number), bufferSource(seededBytes(number, 5000), 'x'))),
    );
    for (const number of [1, 2, 3]) {
      expect(await open.store.verify(refOf(number), { deep: true })).toMatchObject({ ok: true });
    }
    await open.close();
  });
});
