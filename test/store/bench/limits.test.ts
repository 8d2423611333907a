/** Runs that end early: at a bound, at the user's wish, by the registry's. Nothing is left of them either. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BenchEvent, bench, planFor } from '../../../src/store/bench/run.ts';
import { KIB, MIB, refuse } from '../../engine/rig.ts';
import { type BenchRig, NOTHING, REPOSITORY, SMALL, startRig } from './benchRig.ts';

let rig: BenchRig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.registry.close());

describe('a bound', () => {
  it('on requests holds also where they are repeated', async () => {
    const sent = new Map<string, number>();
    rig.play({
      before: ({ method, route, reference = '' }) => {
        if (method !== 'PUT' || route !== 'manifest') return undefined;
        const times = (sent.get(reference) ?? 0) + 1;
        sent.set(reference, times);
        return times < 3 ? { kind: 'lose-response' } : undefined;
      },
    });
    const { ended, plan } = rig.run();
    expect((await ended).cutShort).toBe('requests');
    expect(rig.registry.countRequests()).toBeLessThanOrEqual(SMALL.maxRequests);
    expect(rig.registry.countRequests()).toBeGreaterThan(SMALL.maxRequests / 3);
    expect(plan.cost.requests).toBeLessThanOrEqual(SMALL.maxRequests);
    expect(await rig.remains()).toEqual(NOTHING);
  });

  it('on bytes holds also where bodies are repeated', async () => {
    const seen = new Set<string>();
    const isFirst = (name: string) => !seen.has(name) && seen.add(name);
    let bytes = 0;
    rig.play({
      before: ({ headers, query }) => {
        const length = Number(headers['content-length'] ?? 0);
        const digest = query.get('digest');
        if (digest === null || length < 60 * KIB) return undefined;
        bytes += length;
        return isFirst(digest) ? { kind: 'reset', afterRequestBytes: length - 1 } : undefined;
      },
    });
    const bounds = { ...SMALL, maxRequests: 3000 };
    expect((await rig.run({ bounds }).ended).cutShort).toBe('bytes');
    expect(bytes).toBeGreaterThan(bounds.maxBytes / 2);
    expect(bytes).toBeLessThanOrEqual(bounds.maxBytes);
    expect(await rig.remains()).toEqual(NOTHING);
  });

  it('on seconds ends a run with a registry that is too slow for it', async () => {
    rig.play({ request: () => ({ bytesPerSecond: 64 * KIB }) });
    const findings = await rig.run({ bounds: { ...SMALL, maxSeconds: 1 } }).ended;
    expect(findings.cutShort).toBe('seconds');
    expect(await rig.remains()).toEqual(NOTHING);
  });

  it('that allows nothing is refused before a request', async () => {
    const bounds = { maxRequests: 10, maxBytes: MIB, maxSeconds: 60 };
    expect(() => planFor({}, bounds)).toThrow(
      /\[USAGE\].*at least --max-requests \d+ and --max-bytes \d+MiB/,
    );
    await expect(bench(`oci://${rig.registry.address}/${REPOSITORY}`, {}, { bounds })).rejects.toMatchObject({
      code: 'USAGE',
    });
    expect(rig.registry.countRequests()).toBe(0);
  });
});

describe('what goes wrong', () => {
  it('is an interruption: everything is taken away', async () => {
    const stop = new AbortController();
    const onEvent = ({ type }: BenchEvent) => {
      if (type === 'sample') stop.abort();
    };
    await expect(rig.run({ signal: stop.signal, onEvent }).ended).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(await rig.remains()).toEqual(NOTHING);
  });

  it('is an interruption while a round is taken away: the rest goes afterwards', async () => {
    const stop = new AbortController();
    rig.play({
      before: ({ method, route, ordinal }) => {
        if (method === 'DELETE' && route === 'manifest' && ordinal === 3) stop.abort();
        return undefined;
      },
    });
    await expect(rig.run({ signal: stop.signal }).ended).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await rig.remains()).toEqual(NOTHING);
  }, 60_000);

  it('is a quota: the error says so, and everything is taken away', async () => {
    const message = 'Quota has been exceeded on namespace';
    rig.play({
      before: ({ method, route, ordinal }) =>
        method === 'POST' && route === 'upload-start' && ordinal > 40
          ? refuse(403, 'DENIED', message)
          : undefined,
    });
    await expect(rig.run().ended).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(await rig.remains()).toEqual(NOTHING);
  });

  it('is a registry without deletion: what stays is counted', async () => {
    rig.play({
      before: ({ method, route }) =>
        method === 'DELETE' && route !== 'upload-session' ? refuse(405, 'UNSUPPORTED') : undefined,
    });
    const { leftovers } = await rig.run().ended;
    const { tags, sessions } = await rig.remains();
    expect(tags.length).toBeGreaterThan(50);
    expect(sessions).toBe(0);
    expect(leftovers).toMatchObject({ tags: tags.length, blobs: tags.length });
  });
});
