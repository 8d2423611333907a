/** Writing behind over real sockets: what returns before the registry has answered, and what does not. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { WriteBehindStore } from '../../src/store/writeBehind.ts';
import { collect, MIB, refOf, refuse } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { collectNames, heldSource, LOCK } from './modelHost.ts';

describe('writing behind, over a registry', () => {
  let registry: RunningRegistry;
  let open: OpenOciStore;
  let store: WriteBehindStore;
  beforeEach(async () => {
    registry = await startRegistry();
    open = openOciStore(`oci://${registry.address}/my/store`);
    store = new WriteBehindStore(open.store);
  });
  afterEach(async () => {
    await open.close();
    await registry.close();
  });

  const isPackfilePut = (method: string, reference = '') =>
    method === 'PUT' && reference.startsWith('packfiles-');

  it('puts return before their commit, a lock passes them, a state does not', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let committed = 0;
    let committedBeforeState = -1;
    registry.setFaults({
      before: ({ method, reference }) => {
        if (isPackfilePut(method, reference)) return { kind: 'hold', until: released };
        if (method === 'PUT' && reference?.startsWith('state-')) committedBeforeState = committed;
        return undefined;
      },
      answer: ({ method, reference }, { status }) => {
        if (isPackfilePut(method, reference) && status === 201) committed++;
        return undefined;
      },
    });
    // More small ones than the engine has places for small objects, and some that are bulk.
    const sizes = [...Array.from({ length: 24 }, () => 20_000), 2 * MIB, 3 * MIB];
    for (const [number, size] of sizes.entries())
      await store.put(refOf(number), heldSource(seededBytes(number, size)));
    const state = store.put({ ...refOf(50), type: 'state' }, bufferSource(seededBytes(50, 5000), 'x'));
    for (let refresh = 0; refresh < 3; refresh++)
      await store.put(LOCK, bufferSource(seededBytes(refresh, 300), 'x'));
    expect((await collect((await store.get(LOCK)).stream)).equals(seededBytes(2, 300))).toBe(true);
    expect({ committed, committedBeforeState }).toEqual({ committed: 0, committedBeforeState: -1 });
    release();
    await state;
    expect(committedBeforeState).toBe(sizes.length);
    expect((await collectNames(store)).length).toBe(sizes.length);
    await store.close();
  });

  it('a call that has ended does not take its packfile with it', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    registry.setFaults({
      before: ({ method, reference }) =>
        isPackfilePut(method, reference) ? { kind: 'hold', until: released } : undefined,
    });
    const controller = new AbortController();
    await store.put(refOf(1), heldSource(seededBytes(1, 9000)), { signal: controller.signal });
    controller.abort();
    release();
    expect((await store.stat(refOf(1))).bytes).toBe(9000);
  });

  it('a refusal shows at the state, with object and place, and the state is not stored', async () => {
    registry.setFaults({
      before: ({ method, reference }) =>
        isPackfilePut(method, reference) ? refuse(403, 'DENIED', 'quota') : undefined,
    });
    await store.put(refOf(1), heldSource(seededBytes(1, 9000)));
    const state = { ...refOf(2), type: 'state' } as const;
    await expect(store.put(state, bufferSource(seededBytes(2, 5000), 'x'))).rejects.toThrow(
      `[QUOTA_EXCEEDED] packfile ${refOf(1).mac} on ${registry.address}/my/store: was accepted but could not be stored`,
    );
    await expect(open.store.stat(state)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await expect(store.close()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });
});
