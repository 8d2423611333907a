/** Whole runs against the embedded registry: what they cost, what they find, and that nothing is left of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FaultPlan } from '../../../src/emulator/index.ts';
import { BENCH_PREFIX } from '../../../src/store/objectNames.ts';
import { isPatch, MIB, on, refuse } from '../../engine/rig.ts';
import { tagsOf } from '../../support/registryState.ts';
import { type BenchRig, NOTHING, REPOSITORY, startRig } from './benchRig.ts';

let rig: BenchRig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.registry.close());

describe('a run', () => {
  it('does what its plan says, costs no more, and leaves nothing', async () => {
    const { ended, events, plan } = rig.run();
    const findings = await ended;
    const requests = rig.registry.countRequests();
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
    expect(await rig.remains()).toEqual(NOTHING);
    expect(findings.leftovers).toEqual({ tags: 0, blobs: 0, blobBytes: 0 });
  });

  it('costs no more where a tag goes only with its manifest', async () => {
    rig.play({
      before: ({ method, route, reference = '' }) =>
        method === 'DELETE' && route === 'manifest' && !reference.startsWith('sha256:')
          ? refuse(405, 'UNSUPPORTED')
          : undefined,
    });
    const { ended, plan } = rig.run();
    expect((await ended).leftovers).toEqual({ tags: 0, blobs: 0, blobBytes: 0 });
    expect(rig.registry.countRequests()).toBeLessThanOrEqual(plan.cost.requests);
    expect(await rig.remains()).toEqual(NOTHING);
  });

  it('finds that chunks are faster where a proxy is slow with whole bodies, and reads packfiles as a restore does', async () => {
    const slowInOneBody: FaultPlan = {
      request: ({ method, headers }) =>
        method !== 'PATCH' && Number(headers['content-length'] ?? 0) > 4 * MIB
          ? { bytesPerSecond: 40 * MIB }
          : undefined,
    };
    rig.play(slowInOneBody);
    const bounds = { maxRequests: 3000, maxBytes: 190 * MIB, maxSeconds: 120 };
    const { ended, plan } = rig.run({ bounds });
    const { verdict, requests, bytes, results } = await ended;
    expect(plan.cells.map(({ name }) => name)).toContain('push packfile x1 chunked');
    expect(verdict.recommended.upload_mode).toBe('chunked');
    expect(verdict.backup?.from).toContain('20 MiB');
    expect(verdict.restore?.bytesPerSecond.median).toBeGreaterThan(0);
    // Hundreds of reads and a few requests: they go through the read cache.
    const reads = results.find(({ cell }) => cell.what === 'read')?.samples[0]?.reads ?? 0;
    expect(reads).toBeGreaterThan(100);
    const ranged = rig.registry.requestLog().filter(({ status }) => status === 206).length;
    expect(ranged).toBeLessThan((plan.rounds * reads) / 4);
    expect(rig.registry.countRequests()).toBe(requests);
    expect(requests).toBeLessThanOrEqual(plan.cost.requests);
    expect(bytes).toBe(plan.cost.bytes);
    expect(await rig.remains()).toEqual(NOTHING);
  }, 60_000);

  it('measures what a registry with a cap on manifests lets through, and makes no failure of its refusals', async () => {
    const [capPerSecond, burst] = [60, 20];
    let tokens = burst;
    let lastMs = performance.now();
    let refused = 0;
    rig.play({
      before: ({ method, route }) => {
        if (method !== 'PUT' || route !== 'manifest') return undefined;
        const nowMs = performance.now();
        tokens = Math.min(burst, tokens + ((nowMs - lastMs) * capPerSecond) / 1000);
        lastMs = nowMs;
        if (tokens >= 1) {
          tokens--;
          return undefined;
        }
        refused++;
        return { kind: 'respond', status: 429, headers: { 'Retry-After': '1' } };
      },
    });
    const bounds = { maxRequests: 2500, maxBytes: 16 * MIB, maxSeconds: 80 };
    const { results, leftovers, requests } = await rig.run({ bounds }).ended;
    expect(refused).toBeGreaterThan(0);
    const many = results.find(({ cell }) => cell.name === 'push small x32');
    const objects = many?.samples.map((sample) => sample.objects / sample.seconds) ?? [];
    expect(objects.length).toBeGreaterThan(0);
    // A burst is allowed; what is above it comes at the rate of the cap.
    expect(Math.min(...objects)).toBeLessThan(2 * capPerSecond);
    expect(requests).toBeLessThanOrEqual(bounds.maxRequests);
    expect(leftovers.tags).toBe(0);
    expect(await rig.remains()).toEqual(NOTHING);
  }, 90_000);

  it('says of a registry that refuses chunks that they do not work, and goes on', async () => {
    rig.play({ before: on(isPatch, refuse(405, 'UNSUPPORTED')) });
    const bounds = { maxRequests: 3000, maxBytes: 190 * MIB, maxSeconds: 120 };
    const { verdict, cutShort } = await rig.run({ bounds }).ended;
    expect(cutShort).toBeUndefined();
    expect(verdict.comparisons[0]).toMatch(/^Chunked uploads do not work: /);
    expect(verdict.backup).toBeDefined();
    expect(await rig.remains()).toEqual(NOTHING);
  }, 60_000);

  it('works in the repository itself where it may have no children, beside the tags of others', async () => {
    const put = (tag: string) =>
      fetch(`${rig.registry.url}/v2/${REPOSITORY}/manifests/${tag}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
        body: JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.index.v1+json',
          manifests: [],
        }),
      });
    expect((await put('latest')).status).toBe(201);
    rig.play({
      before: ({ repository = '' }) =>
        repository.includes(BENCH_PREFIX) ? refuse(403, 'DENIED') : undefined,
    });
    const findings = await rig.run().ended;
    expect(findings.place).toEqual({ own: false, location: `oci://${rig.registry.address}/${REPOSITORY}` });
    const manifests = rig.registry
      .requestLog()
      .filter(
        ({ method, path }) => method === 'PUT' && path.includes('/manifests/') && !path.endsWith('/latest'),
      );
    expect(manifests.length).toBeGreaterThan(50);
    for (const { path } of manifests) expect(path).toContain(`/manifests/${BENCH_PREFIX}`);
    const { tags, blobs, sessions } = await rig.remains();
    expect({ tags, sessions }).toEqual({ tags: ['latest'], sessions: 0 });
    // The configuration blob may be that of a store.
    expect(blobs).toHaveLength(1);
  });
});

describe('a provider', () => {
  it.each(['gar', 'gitlab', 'quay'] as const)(
    '%s redirects to its storage, and no byte counts twice',
    async (profile) => {
      await rig.registry.close();
      rig = await startRig({ profile });
      const { ended, plan } = rig.run();
      const { cutShort, bytes, requests, leftovers } = await ended;
      expect({ cutShort, bytes }).toEqual({ cutShort: undefined, bytes: plan.cost.bytes });
      expect(requests).toBe(rig.registry.countRequests() + rig.registry.storageRequests().length);
      expect(requests).toBeLessThanOrEqual(plan.cost.requests);
      expect(leftovers.tags).toBe(0);
    },
  );

  it('ecr has no repository that nobody made: the one that is there is used', async () => {
    await rig.registry.close();
    rig = await startRig({ profile: 'ecr', profileSettings: { repositories: [REPOSITORY] } });
    const { place, leftovers } = await rig.run().ended;
    expect(place).toEqual({ own: false, location: `oci://${rig.registry.address}/${REPOSITORY}` });
    expect(leftovers.tags).toBe(0);
    expect(await tagsOf(rig.registry.address, REPOSITORY)).toEqual([]);
  });

  it('ghcr lets nothing be deleted: what stays is counted', async () => {
    await rig.registry.close();
    rig = await startRig({ profile: 'ghcr' });
    const { place, leftovers } = await rig.run().ended;
    const [, child = ''] = place.location.split(`${rig.registry.address}/`);
    expect(leftovers.tags).toBe((await tagsOf(rig.registry.address, child)).length);
  });
});
