/** A registry that goes away in the middle of a push or a read: it comes back, or it does not. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { HostFlows } from '../../src/registry/hostFlows.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { collect, KIB, MIB, refOf } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

const DOWN_MS = 2500;
const OBJECTS = 24;

describe('a registry that goes away', () => {
  let folder: string;
  let registry: RunningRegistry;
  let open: OpenOciStore;

  const connect = (noProgressTimeoutMs: number) =>
    openOciStore(`oci://${registry.address}/a/b`, {
      noProgressTimeoutMs,
      flows: new HostFlows(),
      hasher: 'native',
    });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-outage-'));
    registry = await startRegistry({ directory: folder });
  });
  afterEach(async () => {
    await open?.close();
    await registry.close().catch(() => {});
    await rm(folder, { recursive: true });
  });

  const content = (number: number) => seededBytes(number, number % 3 === 0 ? 2 * MIB : 20 * KIB);
  const put = (number: number) =>
    open.store.put(refOf(number), bufferSource(content(number), `object ${number}`));
  const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

  /** Closes the registry at its n-th request of a kind, and starts it again on the same port, or does not. */
  async function restartsAt(method: string, route: string, ordinal: number, again: boolean): Promise<void> {
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    registry.setFaults({
      before: (exchange) => {
        if (exchange.method !== method || exchange.route !== route || exchange.ordinal !== ordinal)
          return undefined;
        resolve();
        return { kind: 'reset' };
      },
    });
    await reached;
    const { port } = registry;
    await registry.close();
    if (!again) return;
    await new Promise((done) => setTimeout(done, DOWN_MS));
    registry = await startRegistry({ directory: folder, port });
  }

  it('and comes back while objects are put: all of them are there', async () => {
    open = connect(60_000);
    const back = restartsAt('PUT', 'manifest', 5, true);
    await Promise.all(Array.from({ length: OBJECTS }, (_, number) => put(number)));
    await back;
    for (let number = 0; number < OBJECTS; number++) {
      const { stream } = await open.store.get(refOf(number));
      expect(digestOf(await collect(stream))).toBe(digestOf(content(number)));
    }
    expect(open.stats().retries).toBeGreaterThan(0);
  });

  it('and comes back while objects are read: all of them arrive', async () => {
    open = connect(60_000);
    await Promise.all(Array.from({ length: OBJECTS }, (_, number) => put(number)));
    const back = restartsAt('GET', 'blob', 5, true);
    const read = async (number: number) => collect((await open.store.get(refOf(number))).stream);
    const all = await Promise.all(Array.from({ length: OBJECTS }, (_, number) => read(number)));
    await back;
    for (const [number, bytes] of all.entries()) expect(digestOf(bytes)).toBe(digestOf(content(number)));
  });

  it('and stays away: every operation ends within the time without progress, and says so', async () => {
    open = connect(3000);
    const gone = restartsAt('PUT', 'manifest', 5, false);
    const startMs = performance.now();
    const results = await Promise.allSettled(Array.from({ length: OBJECTS }, (_, number) => put(number)));
    await gone;
    const failed = results.filter((result) => result.status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    for (const { reason } of failed) {
      expect(reason).toMatchObject({
        code: expect.stringMatching(/^(REGISTRY_UNREACHABLE|CONNECTION_LOST)$/),
      });
      expect(reason.message).toMatch(
        new RegExp(`on ${registry.address}.*tried: .* without progress for 3 s`),
      );
    }
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});
