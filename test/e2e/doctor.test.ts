/** The doctor against real registries: what it says of each, what it leaves, and that a store then works as it said. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cliPath, klosetOci } from '../support/cli.ts';
import { runMeasured } from '../support/measured.ts';
import { requirePeers } from '../support/peers.ts';
import { REGISTRIES, type RealRegistry } from '../support/realRegistries.ts';
import { tagsOf } from '../support/registryState.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

interface Summary {
  works: boolean;
  profile: string;
  facts: Record<string, unknown>;
  leftovers: { tags: string[]; manifests: string[]; blobs: number };
}

async function examine(registry: RealRegistry, repository: string) {
  const args = [cliPath(), 'doctor', `oci://${registry.address}/${repository}`, '--json'];
  const run = await runMeasured(process.execPath, args);
  const lines = run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const verdicts = Object.fromEntries(lines.slice(0, -1).map(({ name, verdict }) => [name, verdict]));
  return { code: run.code, verdicts, summary: lines.at(-1) as unknown as Summary };
}

const DISTRIBUTION = { 'upload-post': 'not possible', referrers: 'not possible' };

const EXPECTED = [
  ['docker-registry', 'registry2', { ...DISTRIBUTION, pagination: 'limited', 'delete-tag': 'not possible' }],
  ['distribution3', 'registry3', { ...DISTRIBUTION }],
  ['zot', 'zot', {}],
  ['embedded', 'generic', {}],
] as const;

const UNDELETABLE = [
  ['docker-registry', 'registry2', { ...DISTRIBUTION, pagination: 'limited' }],
  ['distribution3', 'registry3', { ...DISTRIBUTION }],
] as const;

describe('the doctor', () => {
  let folder: Scratch;
  beforeAll(async () => {
    folder = await scratch('e2e-doctor');
    await writeFile(join(folder.path, seededBytes(1, 32).toString('hex')), seededBytes(2, 3_000_000));
  });
  afterAll(() => folder?.remove());

  for (const [name, profile, troubles] of EXPECTED) {
    const needed = requirePeers(REGISTRIES[name].peers);
    test.skipIf(!needed.found)(`${name}: says what it can, and leaves nothing`, async () => {
      const registry = await REGISTRIES[name].start();
      try {
        const { code, verdicts, summary } = await examine(registry, 'a/b');
        const odd = Object.entries(verdicts).filter(([, verdict]) => verdict !== 'ok');
        expect(Object.fromEntries(odd)).toEqual(troubles);
        expect({ code, works: summary.works, profile: summary.profile }).toEqual({
          code: 0,
          works: true,
          profile,
        });
        expect(summary.leftovers).toMatchObject({ tags: [], manifests: [], blobs: 0 });
        expect(await tagsOf(registry.address, 'a/b')).toEqual([]);

        // Where a store is, its tags stay, and they alone.
        await klosetOci(['push', folder.path, `oci://${registry.address}/a/b`, '--json']);
        const before = (await tagsOf(registry.address, 'a/b')).sort();
        expect(before.length).toBeGreaterThan(0);
        expect((await examine(registry, 'a/b')).code).toBe(0);
        expect((await tagsOf(registry.address, 'a/b')).sort()).toEqual(before);
      } finally {
        await registry.stop();
      }
    });
  }

  for (const [name, profile, troubles] of UNDELETABLE) {
    const needed = requirePeers(REGISTRIES[name].peers);
    test.skipIf(!needed.found)(`${name} without deletion: says so, and names what stays`, async () => {
      const registry = await REGISTRIES[name].start({ deletion: false });
      try {
        const { code, verdicts, summary } = await examine(registry, 'a/b');
        const odd = Object.entries(verdicts).filter(([, verdict]) => verdict !== 'ok');
        expect(Object.fromEntries(odd)).toEqual({
          ...troubles,
          'delete-tag': 'not possible',
          'delete-digest': 'not possible',
          'delete-blob': 'not possible',
        });
        expect({ code, works: summary.works, profile: summary.profile }).toEqual({
          code: 0,
          works: true,
          profile,
        });
        expect(summary.facts).toMatchObject({ tagDelete: false, digestDelete: false });
        expect([...summary.leftovers.tags].sort()).toEqual((await tagsOf(registry.address, 'a/b')).sort());
      } finally {
        await registry.stop();
      }
    });
  }
});
