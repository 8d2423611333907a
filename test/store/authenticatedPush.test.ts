/** Uploads that outlive the tokens they began with. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  type AuthOptions,
  type FaultPlan,
  type RunningRegistry,
  startRegistry,
} from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { collect, FAST_RETRY, isCommit, isPatch, KIB, MIB, refOf } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

const content = seededBytes(7, 4 * MIB);

let registry: RunningRegistry | undefined;
let open: OpenOciStore | undefined;
afterEach(async () => {
  await open?.close();
  await registry?.close();
});

async function start(tokens: AuthOptions['tokens'] = {}, uploadMode: 'chunked' | 'monolithic' = 'chunked') {
  registry = await startRegistry({
    auth: { scheme: 'bearer', users: { me: { password: 'pw' } }, tokens },
  });
  open = openOciStore(`oci://${registry.address}/kloset/store`, {
    credentials: { username: 'me', password: 'pw' },
    retry: FAST_RETRY,
    hasher: 'native',
    uploadMode,
    chunkBytes: MIB,
  });
  // The configuration blob is there from now on, and the registry has asked for credentials.
  await open.store.put(refOf(99), bufferSource(seededBytes(99, 10), 'primer'));
  registry.resetRequestLog();
  return { registry, store: open.store };
}

const statuses = (from: RunningRegistry, method: string) =>
  from
    .requestLog()
    .filter((entry) => entry.method === method && entry.route === 'upload-session')
    .map(({ status }) => status);

describe('a token that ends in the middle of an upload', () => {
  it.each(['chunked', 'monolithic'] as const)(
    'is replaced, and the same bytes go again: %s',
    async (mode) => {
      const { registry, store } = await start({}, mode);
      const isBody = mode === 'chunked' ? isPatch : isCommit;
      const at = mode === 'chunked' ? 1 : 0;
      let revoked = false;
      registry.setFaults({
        before: (arrival) => {
          if (isBody(arrival) && arrival.ordinal === at) {
            revoked = true;
            registry.revokeTokens();
          }
          return undefined;
        },
      });
      await store.put(refOf(1), bufferSource(content, 'object'));
      expect(revoked).toBe(true);
      expect(Buffer.compare(await collect((await store.get(refOf(1))).stream), content)).toBe(0);
      const refused = registry.requestLog().filter(({ status }) => status === 401);
      expect(refused.map(({ method }) => method)).toEqual([mode === 'chunked' ? 'PATCH' : 'PUT']);
      // Two tokens, nothing but the refused body sent twice, and no session given up.
      expect(registry.tokensIssued()).toBe(2);
      expect(registry.countRequests({ method: 'GET', route: 'upload-session' })).toBe(0);
      expect(statuses(registry, 'PATCH').filter((status) => status === 202)).toHaveLength(
        mode === 'chunked' ? 4 : 0,
      );
    },
  );

  it('is replaced where a proxy answers 401 for a chunk that was stored, and the session says so', async () => {
    const { registry, store } = await start();
    const challenge = `Bearer realm="${registry.url}/token",service="s",error="invalid_token"`;
    const plan: FaultPlan = {
      answer: (arrival, head) =>
        isPatch(arrival) && arrival.ordinal === 1
          ? { status: 401, headers: { 'www-authenticate': challenge, 'content-length': '0' } }
          : head,
    };
    registry.setFaults(plan);
    await store.put(refOf(1), bufferSource(content, 'object'));
    expect(Buffer.compare(await collect((await store.get(refOf(1))).stream), content)).toBe(0);
    // The replay is refused as out of place, and the upload goes on behind it.
    expect(statuses(registry, 'PATCH')).toEqual([202, 401, 416, 202, 202]);
  });

  it('is not waited for: a push three times longer than tokens live takes one token a life', async () => {
    const tokenLifeMs = 2000;
    const { registry, store } = await start({ tokenLifeMs });
    const slow = seededBytes(8, 6 * MIB);
    registry.setFaults({
      before: (arrival) =>
        isPatch(arrival)
          ? { kind: 'hold', until: new Promise((resolve) => setTimeout(resolve, 1000)) }
          : undefined,
    });
    const startedMs = performance.now();
    await store.put(refOf(1), bufferSource(slow, 'object'));
    const elapsedMs = performance.now() - startedMs;
    expect(elapsedMs).toBeGreaterThanOrEqual(3 * tokenLifeMs - 50);
    expect(registry.tokensIssued()).toBeGreaterThanOrEqual(3);
    // A token that goes before a long body is replaced after three quarters of its life at the earliest.
    expect(registry.tokensIssued()).toBeLessThanOrEqual(Math.floor(elapsedMs / (0.75 * tokenLifeMs)) + 1);
    registry.setFaults(undefined);
    expect(Buffer.compare(await collect((await store.get(refOf(1))).stream), slow)).toBe(0);
  });

  it('is replaced once for many uploads at a time', async () => {
    const { registry, store } = await start({}, 'monolithic');
    const small = Array.from({ length: 12 }, (_, index) => seededBytes(index, 64 * KIB));
    const before = registry.tokensIssued();
    registry.revokeTokens();
    await Promise.all(
      small.map((bytes, index) => store.put(refOf(index), bufferSource(bytes, `object ${index}`))),
    );
    expect(registry.tokensIssued()).toBe(before + 1);
    for (const [index, bytes] of small.entries()) {
      expect(Buffer.compare(await collect((await store.get(refOf(index))).stream), bytes)).toBe(0);
    }
  });
});

describe('an account that may not push', () => {
  it('is told so before a body is sent, and nothing is left behind', async () => {
    const limited = await startRegistry({
      auth: {
        scheme: 'bearer',
        users: { me: { password: 'pw', rights: [{ repositories: '*', actions: ['pull'] }] } },
      },
    });
    registry = limited;
    open = openOciStore(`oci://${limited.address}/kloset/store`, {
      credentials: { username: 'me', password: 'pw' },
      retry: FAST_RETRY,
      hasher: 'native',
    });
    await expect(open.store.put(refOf(1), bufferSource(content, 'object'))).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
    expect(limited.requestLog().every(({ requestBytes }) => requestBytes < 10)).toBe(true);
    expect(limited.openSessions()).toEqual([]);
  });
});
