import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Exchange, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import type { UploadMode } from '../../src/registry/profiles.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { openUpload } from '../emulator/support.ts';

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

describe('the blob that all manifests share', () => {
  it('needs no place in the queue, all of which may be held by those who wait for it', async () => {
    const location = `oci://${registry.address}/${REPOSITORY}`;
    // In chunks it goes through the queue; whether a POST takes it whole is not asked then.
    const open = openOciStore(location, { concurrency: 1, uploadMode: 'chunked' });
    const ref = { type: 'packfile', mac: 'a'.repeat(64) } as const;
    await open.store.put(ref, bufferSource(new Uint8Array(20_000), 'packfile'));
    expect((await open.store.stat(ref)).bytes).toBe(20_000);
    await open.close();
  });
});
