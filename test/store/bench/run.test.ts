/** Whole runs against the embedded registry: what they cost, what they find, and that nothing is left of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultPlan, type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { type BenchEvent, type BenchOptions, bench, planFor } from '../../../src/store/bench/run.ts';
import { BENCH_PREFIX } from '../../../src/store/objectNames.ts';
import type { OciStoreOptions } from '../../../src/store/openStore.ts';
import { FAST_RETRY, isPatch, KIB, MIB, on, refuse } from '../../engine/rig.ts';
import { tagsOf } from '../../support/registryState.ts';

const REPOSITORY = 'kloset/store';
/** Small objects, and large ones that end the warming up. */
const SMALL = { maxRequests: 700, maxBytes: 8 * MIB, maxSeconds: 60 };

let registry: RunningRegistry;
/** Every repository that was written to, and every blob that was committed, from the registry's side. */
let written: { repositories: Set<string>; blobs: Set<string> };

beforeEach(async () => {
  registry = await startRegistry();
  written = { repositories: new Set(), blobs: new Set() };
  play({});
});

/** Has the registry misbehave, and notes what is written meanwhile. */
function play(plan: FaultPlan): void {
  registry.setFaults({
    ...plan,
    before: (exchange) => {
      const { method, query, repository = '' } = exchange;
      const digest = query.get('digest');
      if (method === 'POST' || method === 'PUT') written.repositories.add(repository);
      if (digest && method !== 'GET') written.blobs.add(`${repository}/blobs/${digest}`);
      return plan.before?.(exchange);
    },
  });
}
afterEach(() => registry.close());

function run(options: Partial<BenchOptions> = {}, store: OciStoreOptions = {}) {
  const events: BenchEvent[] = [];
  const bounds = options.bounds ?? SMALL;
  const onEvent = (event: BenchEvent) => {
    events.push(event);
    options.onEvent?.(event);
  };
  const settings = { retry: FAST_RETRY, ...store };
  const ended = bench(`oci://${registry.address}/${REPOSITORY}`, settings, {
    seed: 'run.test',
    ...options,
    bounds,
    onEvent,
  });
  return { ended, events, plan: planFor(settings, bounds) };
}

/** What the registry still has of all that was written, asked by HTTP. */
async function remains(): Promise<{ tags: string[]; blobs: string[]; sessions: number }> {
  const sessions = registry.openSessions().length;
  registry.setFaults(undefined);
  expect(written.blobs.size).toBeGreaterThan(0);
  const tags: string[] = [];
  for (const repository of written.repositories) tags.push(...(await tagsOf(registry.address, repository)));
  const blobs: string[] = [];
  for (const blob of written.blobs) {
    const { status } = await fetch(`${registry.url}/v2/${blob}`, { method: 'HEAD' });
    if (status !== 404) blobs.push(blob);
  }
  return { tags, blobs, sessions };
}

const NOTHING = { tags: [], blobs: [], sessions: 0 };

describe('a run', () => {
  it('does what its plan says, costs no more, and leaves nothing', async () => {
    const { ended, events, plan } = run();
    const findings = await ended;
    const requests = registry.countRequests();
    expect(findings.requests).toBe(requests);
    expect(requests).toBeLessThanOrEqual(plan.cost.requests);
    expect(findings.bytes).toBe(plan.cost.bytes);
    expect(findings.cutShort).toBeUndefined();
    for (const { name } of plan.cells) {
      const result = findings.results.find(({ cell }) => cell.name === name);
      expect(result?.samples).toHaveLength(plan.rounds);
    }
    expect(findings.place).toMatchObject({ own: true });
    expect(findings.place.location).toMatch(new RegExp(`/${REPOSITORY}/${BENCH_PREFIX}[0-9a-f]{12}$`));
    expect(events.filter(({ type }) => type === 'round')).toHaveLength(plan.rounds);
    expect(await remains()).toEqual(NOTHING);
    expect(findings.leftovers).toEqual({ tags: 0, blobs: 0, blobBytes: 0 });
  });

  it('costs no more where a tag goes only with its manifest', async () => {
    play({
      before: ({ method, route, reference = '' }) =>
        method === 'DELETE' && route === 'manifest' && !reference.startsWith('sha256:')
          ? refuse(405, 'UNSUPPORTED')
          : undefined,
    });
    const { ended, plan } = run();
    expect((await ended).leftovers).toEqual({ tags: 0, blobs: 0, blobBytes: 0 });
    expect(registry.countRequests()).toBeLessThanOrEqual(plan.cost.requests);
    expect(await remains()).toEqual(NOTHING);
  });

  it('finds that chunks are faster where a proxy is slow with whole bodies, and reads packfiles as a restore does', async () => {
    const slowInOneBody: FaultPlan = {
      request: ({ method, headers }) =>
        method !== 'PATCH' && Number(headers['content-length'] ?? 0) > 4 * MIB
          ? { bytesPerSecond: 40 * MIB }
          : undefined,
    };
    play(slowInOneBody);
    const bounds = { maxRequests: 3000, maxBytes: 190 * MIB, maxSeconds: 120 };
    const { ended, plan } = run({ bounds });
    const { verdict, requests, bytes, results } = await ended;
    expect(plan.cells.map(({ name }) => name)).toContain('push packfile x1 chunked');
    expect(verdict.recommended.upload_mode).toBe('chunked');
    expect(verdict.backup?.from).toContain('20 MiB');
    expect(verdict.restore?.bytesPerSecond.median).toBeGreaterThan(0);
    // Hundreds of reads and a few requests: they go through the read cache.
    const reads = results.find(({ cell }) => cell.what === 'read')?.samples[0]?.reads ?? 0;
    expect(reads).toBeGreaterThan(100);
    const ranged = registry.requestLog().filter(({ status }) => status === 206).length;
    expect(ranged).toBeLessThan((plan.rounds * reads) / 4);
    expect(registry.countRequests()).toBe(requests);
    expect(requests).toBeLessThanOrEqual(plan.cost.requests);
    expect(bytes).toBe(plan.cost.bytes);
    expect(await remains()).toEqual(NOTHING);
  }, 60_000);

  it('says of a registry that refuses chunks that they do not work, and goes on', async () => {
    play({ before: on(isPatch, refuse(405, 'UNSUPPORTED')) });
    const bounds = { maxRequests: 3000, maxBytes: 190 * MIB, maxSeconds: 120 };
    const { verdict, cutShort } = await run({ bounds }).ended;
    expect(cutShort).toBeUndefined();
    expect(verdict.comparisons[0]).toMatch(/^Chunked uploads do not work: /);
    expect(verdict.backup).toBeDefined();
    expect(await remains()).toEqual(NOTHING);
  }, 60_000);

  it('works in the repository itself where it may have no children, beside the tags of others', async () => {
    const put = (tag: string) =>
      fetch(`${registry.url}/v2/${REPOSITORY}/manifests/${tag}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
        body: JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.index.v1+json',
          manifests: [],
        }),
      });
    expect((await put('latest')).status).toBe(201);
    play({
      before: ({ repository = '' }) =>
        repository.includes(BENCH_PREFIX) ? refuse(403, 'DENIED') : undefined,
    });
    const findings = await run().ended;
    expect(findings.place).toEqual({ own: false, location: `oci://${registry.address}/${REPOSITORY}` });
    const manifests = registry
      .requestLog()
      .filter(
        ({ method, path }) => method === 'PUT' && path.includes('/manifests/') && !path.endsWith('/latest'),
      );
    expect(manifests.length).toBeGreaterThan(50);
    for (const { path } of manifests) expect(path).toContain(`/manifests/${BENCH_PREFIX}`);
    const { tags, blobs, sessions } = await remains();
    expect({ tags, sessions }).toEqual({ tags: ['latest'], sessions: 0 });
    // The configuration blob may be that of a store.
    expect(blobs).toHaveLength(1);
  });
});

describe('a provider', () => {
  it.each(['gar', 'gitlab', 'quay'] as const)(
    '%s redirects to its storage, and no byte counts twice',
    async (profile) => {
      await registry.close();
      registry = await startRegistry({ profile });
      const { ended, plan } = run();
      const { cutShort, bytes, requests, leftovers } = await ended;
      expect({ cutShort, bytes }).toEqual({ cutShort: undefined, bytes: plan.cost.bytes });
      expect(requests).toBe(registry.countRequests() + registry.storageRequests().length);
      expect(requests).toBeLessThanOrEqual(plan.cost.requests);
      expect(leftovers.tags).toBe(0);
    },
  );

  it('ecr has no repository that nobody made: the one that is there is used', async () => {
    await registry.close();
    registry = await startRegistry({ profile: 'ecr', profileSettings: { repositories: [REPOSITORY] } });
    const { place, leftovers } = await run().ended;
    expect(place).toEqual({ own: false, location: `oci://${registry.address}/${REPOSITORY}` });
    expect(leftovers.tags).toBe(0);
    expect(await tagsOf(registry.address, REPOSITORY)).toEqual([]);
  });

  it('ghcr lets nothing be deleted: what stays is counted', async () => {
    await registry.close();
    registry = await startRegistry({ profile: 'ghcr' });
    const { place, leftovers } = await run().ended;
    const [, child = ''] = place.location.split(`${registry.address}/`);
    expect(leftovers.tags).toBe((await tagsOf(registry.address, child)).length);
  });
});

describe('a bound', () => {
  it('on requests holds also where they are repeated', async () => {
    const sent = new Map<string, number>();
    play({
      before: ({ method, route, reference = '' }) => {
        if (method !== 'PUT' || route !== 'manifest') return undefined;
        const times = (sent.get(reference) ?? 0) + 1;
        sent.set(reference, times);
        return times < 3 ? { kind: 'lose-response' } : undefined;
      },
    });
    const { ended, plan } = run();
    expect((await ended).cutShort).toBe('requests');
    expect(registry.countRequests()).toBeLessThanOrEqual(SMALL.maxRequests);
    expect(registry.countRequests()).toBeGreaterThan(SMALL.maxRequests / 3);
    expect(plan.cost.requests).toBeLessThanOrEqual(SMALL.maxRequests);
    expect(await remains()).toEqual(NOTHING);
  });

  it('on bytes holds also where bodies are repeated', async () => {
    const seen = new Set<string>();
    const isFirst = (name: string) => !seen.has(name) && seen.add(name);
    let bytes = 0;
    play({
      before: ({ headers, query }) => {
        const length = Number(headers['content-length'] ?? 0);
        const digest = query.get('digest');
        if (digest === null || length < 60 * KIB) return undefined;
        bytes += length;
        return isFirst(digest) ? { kind: 'reset', afterRequestBytes: length - 1 } : undefined;
      },
    });
    const bounds = { ...SMALL, maxRequests: 3000 };
    expect((await run({ bounds }).ended).cutShort).toBe('bytes');
    expect(bytes).toBeGreaterThan(bounds.maxBytes / 2);
    expect(bytes).toBeLessThanOrEqual(bounds.maxBytes);
    expect(await remains()).toEqual(NOTHING);
  });

  it('on seconds ends a run with a registry that is too slow for it', async () => {
    play({ request: () => ({ bytesPerSecond: 64 * KIB }) });
    const findings = await run({ bounds: { ...SMALL, maxSeconds: 1 } }).ended;
    expect(findings.cutShort).toBe('seconds');
    expect(await remains()).toEqual(NOTHING);
  });

  it('that allows nothing is refused before a request', async () => {
    const bounds = { maxRequests: 10, maxBytes: MIB, maxSeconds: 60 };
    expect(() => planFor({}, bounds)).toThrow(
      /\[USAGE\].*at least --max-requests \d+ and --max-bytes \d+MiB/,
    );
    await expect(bench(`oci://${registry.address}/${REPOSITORY}`, {}, { bounds })).rejects.toMatchObject({
      code: 'USAGE',
    });
    expect(registry.countRequests()).toBe(0);
  });
});

describe('what goes wrong', () => {
  it('is an interruption: everything is taken away', async () => {
    const stop = new AbortController();
    const onEvent = ({ type }: BenchEvent) => {
      if (type === 'sample') stop.abort();
    };
    await expect(run({ signal: stop.signal, onEvent }).ended).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await remains()).toEqual(NOTHING);
  });

  it('is an interruption while a round is taken away: the rest goes afterwards', async () => {
    const stop = new AbortController();
    play({
      before: ({ method, route, ordinal }) => {
        if (method === 'DELETE' && route === 'manifest' && ordinal === 3) stop.abort();
        return undefined;
      },
    });
    await expect(run({ signal: stop.signal }).ended).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await remains()).toEqual(NOTHING);
  }, 60_000);

  it('is a quota: the error says so, and everything is taken away', async () => {
    const message = 'Quota has been exceeded on namespace';
    play({
      before: ({ method, route, ordinal }) =>
        method === 'POST' && route === 'upload-start' && ordinal > 40
          ? refuse(403, 'DENIED', message)
          : undefined,
    });
    await expect(run().ended).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(await remains()).toEqual(NOTHING);
  });

  it('is a registry without deletion: what stays is counted', async () => {
    play({
      before: ({ method, route }) =>
        method === 'DELETE' && route !== 'upload-session' ? refuse(405, 'UNSUPPORTED') : undefined,
    });
    const { leftovers } = await run().ended;
    const { tags, sessions } = await remains();
    expect(tags.length).toBeGreaterThan(50);
    expect(sessions).toBe(0);
    expect(leftovers).toMatchObject({ tags: tags.length, blobs: tags.length });
  });
});
