/** What a store that writes behind promises, over random schedules and case by case. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { KlosetError } from '../../src/errors.ts';
import { objectRef, tagOf } from '../../src/store/objectNames.ts';
import { WriteBehindStore } from '../../src/store/writeBehind.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { action, collectNames, Host, heldSource, idle, LOCK, packfile, seen } from './modelHost.ts';
import { ModelRegistry } from './modelRegistry.ts';

describe('any schedule of a host, a registry and crashes', () => {
  it('leaves no state without its packfiles, loses nothing that was waited for, and comes to an end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60, size: 'max' }), async (actions) => {
        const host = new Host();
        for (const action of actions) {
          await host.run(action);
          host.throwBroken();
        }
        await host.close();
        host.throwBroken();
      }),
      { numRuns: 400 },
    );
    // A property over schedules in which nothing happens would hold as well.
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(20);
  });
});

describe('a packfile', () => {
  const setUp = (options = {}) => {
    const registry = new ModelRegistry();
    return { registry, store: new WriteBehindStore(registry.connect(), options) };
  };

  it('is acknowledged before it is stored only when its bytes are held', async () => {
    const { registry, store } = setUp();
    expect(await store.put(packfile(1), heldSource(seededBytes(1, 500)))).toEqual({
      bytes: 500,
      skipped: false,
    });
    const plain = store.put(packfile(2), bufferSource(seededBytes(2, 500), 'x'));
    await idle();
    expect(registry.waiting).toHaveLength(2);
    registry.waiting[1]?.answer();
    await plain;
    expect([...registry.tags]).toEqual([tagOf(packfile(2))]);
  });

  it('waits for a place, and gives up waiting with its call', async () => {
    const { registry, store } = setUp({ maxPending: 2 });
    await store.put(packfile(1), heldSource());
    await store.put(packfile(2), heldSource());
    const controller = new AbortController();
    const waiting = store.put(packfile(3), heldSource(), { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    const next = store.put(packfile(0), heldSource());
    registry.waiting[0]?.answer();
    await next;
    expect(registry.waiting.map(({ ref }) => ref)).toEqual([packfile(1), packfile(2), packfile(0)]);
  });

  it('that failed behind is named by every barrier until a put of it succeeds', async () => {
    const { registry, store } = setUp();
    await store.put(packfile(1), heldSource());
    await store.put(packfile(2), heldSource());
    await idle();
    const [first, second] = registry.waiting;
    second?.answer();
    first?.answer(new KlosetError('ACCESS_DENIED', 'no quota left', { registry: 'host/store' }));
    const said = `[ACCESS_DENIED] packfile ${packfile(1).mac} on host/store: was accepted but could not be stored: no quota left. Nothing that names it was stored after it: run the backup again.`;
    const state = objectRef('state', 'f'.repeat(64));
    const barriers = [
      () => store.put(state, bufferSource(new Uint8Array(1), 'x')),
      () => store.put({ ...state, type: 'ecc-state' }, bufferSource(new Uint8Array(1), 'x')),
      () => store.put(packfile(3), heldSource()),
      () => store.put(packfile(3), bufferSource(new Uint8Array(1), 'x')),
      () => store.delete(packfile(2)),
      () => collectNames(store),
      () => store.create(new Uint8Array(1)),
      () => store.flush(),
      () => store.get(packfile(1)),
      () => store.stat(packfile(1)),
    ];
    for (let round = 0; round < 2; round++)
      for (const barrier of barriers) await expect(barrier()).rejects.toThrow(said);
    expect(await store.verify(packfile(1))).toMatchObject({ ok: false, error: { message: said } });
    expect(registry.waiting.slice(2)).toEqual([]);

    // The second attempt is acknowledged only once it is stored.
    const again = store.put(packfile(1), heldSource());
    await idle();
    expect(registry.waiting).toHaveLength(3);
    registry.waiting[2]?.answer();
    await again;
    const named = store.put(state, bufferSource(new Uint8Array(1), 'x'));
    await idle();
    registry.waiting[3]?.answer();
    await named;
  });

  it('that failed behind does not keep a lock from being refreshed or deleted, and is told', async () => {
    const { registry, store } = setUp();
    await store.put(packfile(1), heldSource());
    registry.waiting[0]?.answer(new KlosetError('REGISTRY_FAILED', 'out of order'));
    await idle();
    const lock = store.put(LOCK, bufferSource(new Uint8Array(1), 'x'));
    await idle();
    registry.waiting[1]?.answer();
    await lock;
    const unlock = store.delete(LOCK);
    await idle();
    registry.waiting[2]?.answer();
    await expect(unlock).rejects.toThrow('was accepted but could not be stored');
    expect(registry.tags.size).toBe(0);
    await expect(store.close()).rejects.toThrow('was accepted but could not be stored');
  });

  it('is waited for by a get of it, not by one of another', async () => {
    const { registry, store } = setUp();
    await store.put(packfile(1), heldSource());
    await store.put(packfile(2), heldSource());
    const own = store.get(packfile(1));
    const others = store.get(packfile(3));
    await idle();
    expect(registry.waiting.filter(({ kind }) => kind === 'get').map(({ ref }) => ref)).toEqual([
      packfile(3),
    ]);
    registry.waiting[0]?.answer();
    await idle();
    for (const { kind, answer } of registry.waiting) if (kind === 'get') answer();
    await expect(own).resolves.toBeDefined();
    await expect(others).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('put twice is stored twice, one after the other, and kept when it is deleted in between', async () => {
    const { registry, store } = setUp();
    await store.put(packfile(1), heldSource());
    const deleted = store.delete(packfile(1));
    await store.put(packfile(1), heldSource());
    for (const kind of ['put', 'delete', 'put']) {
      await idle();
      expect(registry.waiting.map((waiting) => waiting.kind)).toEqual([kind]);
      registry.waiting.shift()?.answer();
    }
    await deleted;
    await store.close();
    expect([...registry.tags]).toEqual([tagOf(packfile(1))]);
  });

  it('is dropped when the store is abandoned, and its memory given back', async () => {
    const { registry, store } = setUp();
    let released = 0;
    await store.put(
      packfile(1),
      heldSource(undefined, () => released++),
    );
    store.abandon();
    await expect(store.close()).rejects.toMatchObject({ code: 'CANCELLED' });
    expect({ released, waiting: registry.waiting.length, tags: registry.tags.size }).toEqual({
      released: 1,
      waiting: 0,
      tags: 0,
    });
  });

  it('is put the ordinary way once the store is closing', async () => {
    const { registry, store } = setUp();
    await store.close();
    const late = store.put(packfile(1), heldSource());
    await idle();
    expect(registry.waiting).toHaveLength(1);
    registry.waiting[0]?.answer(new KlosetError('REGISTRY_FAILED', 'gone'));
    await expect(late).rejects.toThrow('gone');
  });
});
