import { afterEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import {
  CHANNELS,
  type ReceivedEvent,
  type RequestEvent,
  type RetryEvent,
} from '../../src/registry/events.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';

const REF = { type: 'packfile', mac: 'ab'.repeat(32) } as const;
const CONTENT = new Uint8Array(100_000).fill(7);

describe('events', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function rig(): Promise<{ registry: RunningRegistry; open: OpenOciStore }> {
    const registry = await startRegistry();
    ends.push(() => registry.close());
    const open = openOciStore(`oci://${registry.address}/events/store`, {
      uploadMode: 'chunked',
      retry: {
        maxAttempts: 3,
        baseDelayMs: 1,
        throttledDelayMs: 1,
        maxDelayMs: 2,
        maxRetryAfterMs: 1000,
      },
    });
    ends.push(() => open.close());
    return { registry, open };
  }

  it('tell of every request that the registry has seen, without the name of a session', async () => {
    const { registry, open } = await rig();
    const requests: RequestEvent[] = [];
    ends.push(CHANNELS.request.subscribe((event) => requests.push(event)));
    await open.store.put(REF, bufferSource(CONTENT, 'object'));
    expect(requests).toHaveLength(registry.countRequests());
    expect(requests.filter(({ sentBytes }) => sentBytes === CONTENT.length)).toEqual([
      {
        host: registry.address,
        kind: 'upload-chunk',
        method: 'PATCH',
        path: '/v2/events/store/blobs/uploads/…',
        status: 202,
        sentBytes: CONTENT.length,
        durationMs: expect.any(Number),
      },
    ]);
    const { requestLog } = registry;
    for (const { route, path } of requestLog()) {
      if (route === 'upload-session') expect(JSON.stringify(requests)).not.toContain(path.split('/').at(-1));
    }
  });

  it('tell how many bytes an answer had', async () => {
    const { open } = await rig();
    await open.store.put(REF, bufferSource(CONTENT, 'object'));
    const received: ReceivedEvent[] = [];
    ends.push(CHANNELS.received.subscribe((event) => received.push(event)));
    const { stream } = await open.store.get(REF);
    for await (const _ of stream);
    const blobs = received.filter(({ kind }) => kind === 'blob-read');
    expect(blobs.map(({ receivedBytes }) => receivedBytes)).toEqual([CONTENT.length]);
  });

  it('tell of an attempt that is made again, and why', async () => {
    const { registry, open } = await rig();
    registry.setFaults({
      before: ({ route, method, ordinal }) =>
        route === 'manifest' && method === 'PUT' && ordinal === 0
          ? { kind: 'respond', status: 429, headers: { 'Retry-After': '0' } }
          : undefined,
    });
    const retries: RetryEvent[] = [];
    ends.push(CHANNELS.retry.subscribe((event) => retries.push(event)));
    await open.store.put(REF, bufferSource(CONTENT, 'object'));
    expect(retries).toMatchObject([{ host: registry.address, code: 'RATE_LIMITED', status: 429 }]);
    expect(open.stats()).toMatchObject({ retries: 1, throttled: 1 });
  });

  it('tell of a request that had no answer', async () => {
    const { registry, open } = await rig();
    await registry.close();
    const requests: RequestEvent[] = [];
    ends.push(CHANNELS.request.subscribe((event) => requests.push(event)));
    await expect(open.store.open()).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(
      requests.every(({ error, status }) => error === 'REGISTRY_UNREACHABLE' && status === undefined),
    ).toBe(true);
    expect(requests.length).toBeGreaterThan(0);
  });
});
