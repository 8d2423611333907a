import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { OBJECT_TYPES, type ObjectRef } from '../../src/store/objectNames.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { sourceOf } from '../../src/store/transferSource.ts';

const REFS: readonly ObjectRef[] = OBJECT_TYPES.map((type, i) => ({ type, mac: `${i}`.repeat(64) }));

let registry: RunningRegistry;
let open: OpenOciStore;
const walks = () => registry.countRequests({ route: 'tags' });

beforeEach(async () => {
  registry = await startRegistry();
  open = openOciStore(`oci://${registry.address}/kloset/store`);
  await open.store.create(new Uint8Array([1]));
  for (const ref of REFS) await open.store.put(ref, bufferSource(new Uint8Array([2]), ref.mac));
  await open.store.delete(REFS[0] as ObjectRef);
  registry.resetRequestLog();
});
afterEach(async () => {
  await open.close();
  await registry.close();
});

test('objects of all types are listed by one walk over the tags', async () => {
  const found = [...(await open.store.listAll(OBJECT_TYPES))];
  expect(found).toEqual(expect.arrayContaining(REFS.slice(1)));
  expect(found).toHaveLength(REFS.length - 1);
  expect(walks()).toBe(1);
});

test('a copy takes two: one of the states, and after it one of what they name', async () => {
  const { items } = await sourceOf(open.store);
  expect(items.map(({ type }) => type)).toEqual(['ecc-packfile', 'ecc-state', 'state']);
  expect(walks()).toBe(2);
});
