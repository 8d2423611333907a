/** The control endpoint: how another program sets faults and sees what was asked. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseFaults } from '../../src/emulator/faults/index.ts';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { call, openUpload, pushBlob } from './support.ts';

describe('the control endpoint', () => {
  let registry: RunningRegistry;
  beforeEach(async () => {
    registry = await startRegistry({ control: true, faults: parseFaults(['503@ping:nth=1'], { seed: 9 }) });
  });
  afterEach(() => registry.close());

  const ask = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const reply = await call(registry, method, `/_kloset-oci/${path}`, {
      headers,
      ...(body !== undefined && { body }),
    });
    const text = reply.body.toString();
    return { status: reply.status, value: text === '' ? undefined : JSON.parse(text) };
  };
  const pings = async (times: number) => {
    const statuses: number[] = [];
    for (let i = 0; i < times; i++) statuses.push((await call(registry, 'GET', '/v2/')).status);
    return statuses;
  };

  test('lists the faults with what they saw and did', async () => {
    expect(await pings(2)).toEqual([503, 200]);
    expect(await ask('GET', 'faults')).toEqual({
      status: 200,
      value: { seed: 9, faults: [{ spec: '503@ping:nth=1', seen: 2, hits: 1 }] },
    });
  });

  test('replaces them from JSON and from lines, and clears them', async () => {
    const json = JSON.stringify({ faults: ['500@ping:every=2', '429@tag-list'], seed: 3 });
    const set = await ask('PUT', 'faults', json);
    expect([set.status, set.value.seed, set.value.faults.length]).toEqual([200, 3, 2]);
    expect(await pings(3)).toEqual([200, 500, 200]);
    expect((await ask('PUT', 'faults', '404@ping\n\n  delay@blob:by=1ms  \n')).value.faults.length).toBe(2);
    expect(await pings(1)).toEqual([404]);
    expect((await ask('DELETE', 'faults')).status).toBe(204);
    expect(await pings(1)).toEqual([200]);
    expect((await ask('GET', 'faults')).value).toEqual({ seed: null, faults: [] });
  });

  test.each([
    ['{"faults": ["503@pong"]}', /nearest is \\"ping\\"|nearest is "ping"/],
    ['{"faults": 7}', /list of texts/],
    ['{"faults": [], "seed": "x"}', /whole number/],
    ['{', /neither JSON/],
  ])('refuses %s and leaves what is in force', async (body, said) => {
    const refused = await ask('PUT', 'faults', body);
    expect(refused.status).toBe(400);
    expect(refused.value.error).toMatch(said);
    expect(await pings(1)).toEqual([503]);
  });

  test('counts requests by kind and status, without its own', async () => {
    await pings(2);
    await pushBlob(registry, 'a/b', 'abc');
    await ask('PUT', 'faults', 'reset@tag-list');
    await expect(call(registry, 'GET', '/v2/a/b/tags/list')).rejects.toThrow();
    await expect
      .poll(async () => (await ask('GET', 'requests')).value, { interval: 5 })
      .toEqual({
        ping: { 200: 1, 503: 1 },
        'upload-start': { 202: 1 },
        'upload-commit': { 201: 1 },
        'tag-list': { none: 1 },
      });
    expect((await ask('DELETE', 'requests')).status).toBe(204);
    expect((await ask('GET', 'requests')).value).toEqual({});
  });

  test('shows the open sessions and forgets them', async () => {
    const location = await openUpload(registry, 'a/b');
    await call(registry, 'PATCH', location, { body: 'abc' });
    expect((await ask('GET', 'sessions')).value).toMatchObject([{ repository: 'a/b', bytes: 3 }]);
    expect((await ask('DELETE', 'sessions')).status).toBe(204);
    expect((await call(registry, 'GET', location)).status).toBe(404);
  });

  test('is not for web pages, and knows its paths and methods', async () => {
    expect((await ask('DELETE', 'faults', undefined, { Origin: 'http://example.org' })).status).toBe(403);
    expect((await ask('GET', 'toString')).status).toBe(404);
    expect((await ask('POST', 'faults')).status).toBe(405);
  });

  test('is absent unless asked for, and refused where others could reach it', async () => {
    const plain = await startRegistry();
    const reply = await call(plain, 'GET', '/_kloset-oci/faults');
    await plain.close();
    expect(reply.status).toBe(404);
    await expect(startRegistry({ host: '0.0.0.0', control: true })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
