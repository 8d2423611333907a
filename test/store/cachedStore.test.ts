import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRegistry } from '../../src/emulator/index.ts';
import { CachedStore } from '../../src/store/cachedStore.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { describeObjectStore } from './objectStoreConformance.ts';

describeObjectStore('a directory with cached reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
  const store = new CachedStore(new DirectoryStore(join(folder, 'store')));
  return { store, close: () => store.close().then(() => rm(folder, { recursive: true })) };
});

describeObjectStore('a registry with cached reads', async () => {
  const registry = await startRegistry();
  const open = openOciStore(`oci://${registry.address}/my/store`);
  const store = new CachedStore(open.store);
  return {
    store,
    close: async () => {
      await store.close();
      await open.close();
      await registry.close();
    },
  };
});
