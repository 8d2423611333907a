import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prefill } from '../../bench/suite/engine/prefill.ts';
import { startRegistry } from '../../src/emulator/index.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { scratch } from '../support/scratch.ts';

test('a prefilled store is one that could have been pushed', async () => {
  const folder = await scratch('prefill');
  const directory = join(folder.path, 'storage');
  prefill('embedded', directory, { repository: 'bench/full', count: 50, objectBytes: 5000 });
  const registry = await startRegistry({ directory });
  const open = openOciStore(`oci://${registry.address}/bench/full`);
  try {
    const refs = [...(await open.store.listAll(['packfile', 'state']))];
    expect(refs).toHaveLength(50);
    const findings = await Promise.all(refs.map((ref) => open.store.verify(ref, { deep: true })));
    expect(findings).toEqual(refs.map((ref) => ({ ref, ok: true, bytes: 5000 })));
    // Objects of their own: a registry that shares their blobs would have less to look after.
    const digests = await Promise.all(refs.map((ref) => open.store.blobsOf(ref)));
    expect(new Set(digests.map(([blob]) => blob?.digest)).size).toBe(50);
  } finally {
    await open.close();
    await registry.close();
    await folder.remove();
  }
});
