/** Hash threads: all providers agree, and a thread that dies costs no push. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { fileSource } from '../../src/engine/fileSource.ts';
import { Hasher } from '../../src/workers/hasher.ts';
import { type SharedSlice, SlabPool } from '../../src/workers/slabs.ts';
import * as r from '../engine/rig.ts';
import { scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

function shared(content: Uint8Array, cuts: readonly number[]): SharedSlice[] {
  const memory = new SharedArrayBuffer(Math.max(1, content.length));
  new Uint8Array(memory).set(content);
  const places = [0, ...cuts.map((cut) => cut % (content.length + 1)).sort((a, b) => a - b), content.length];
  return places
    .slice(1)
    .map((end, at) => ({ shared: memory, offset: places[at] ?? 0, length: end - (places[at] ?? 0) }));
}

describe('hashers', () => {
  const hashers = [new Hasher({ choice: 'wasm', threads: 1 }), new Hasher({ choice: 'native', threads: 2 })];
  afterAll(async () => {
    for (const hasher of hashers) await hasher.close();
  });

  test('wasm, native and node:crypto agree on any chunking', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.array(fc.nat(500), { maxLength: 5 }),
        async (bytes, cuts) => {
          const expected = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
          const slices = shared(bytes, cuts);
          for (const hasher of hashers) {
            expect(await hasher.digest(slices)).toBe(expected);
            const lane = await hasher.lane(true);
            for (const slice of slices) await lane.update([slice]);
            expect(await lane.digest()).toBe(expected);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('many lanes at once do not mix', async () => {
    for (const hasher of hashers) {
      const digests = await Promise.all(
        Array.from({ length: 8 }, async (_, seed) => {
          const content = seededBytes(seed, 10_000);
          const lane = await hasher.lane(true);
          for (const slice of shared(content, [1000, 5000])) await lane.update([slice]);
          return (await lane.digest()) === `sha256:${createHash('sha256').update(content).digest('hex')}`;
        }),
      );
      expect(digests).not.toContain(false);
    }
  });
});

describe('slabs', () => {
  test('the same memory serves any number of slabs, one after the other', async () => {
    const pool = new SlabPool(10 * r.MIB, r.MIB);
    for (let round = 0; round < 50; round++) (await pool.acquire(3 * r.MIB)).release();
    expect(pool.touchedBytes).toBe(3 * r.MIB);
  });

  test('slabs in use never overlap', async () => {
    const pool = new SlabPool(8 * 100, 100);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 20 }), async (sizes) => {
        const held = sizes.flatMap((size) => pool.tryAcquire(size) ?? []);
        held.forEach((slab, at) => {
          for (const view of slab.views(slab.capacityBytes)) view.fill(at);
        });
        held.forEach((slab, at) => {
          for (const view of slab.views(slab.capacityBytes))
            expect(view.every((byte) => byte === at)).toBe(true);
        });
        for (const slab of held) slab.release();
        expect(pool.budget.usedBytes).toBe(0);
      }),
    );
  });
});

describe('a hash thread that dies', () => {
  let rig: r.Rig | undefined;
  afterEach(async () => {
    await rig?.close();
    rig = undefined;
  });

  test.each(['wasm', 'native'] as const)('under a large file (%s) costs no push', async (hasher) => {
    rig = await r.startRig({ hasher, memoryBytes: 32 * r.MIB, chunkBytes: 16 * r.MIB });
    const { registry, open } = rig;
    const folder = await scratch('hashing');
    // Longer than what is hashed as a whole before it is sent.
    const content = seededBytes(1, 68 * r.MIB);
    const path = join(folder.path, 'large');
    await writeFile(path, content);
    const crashes: Promise<void>[] = [];
    // Also a chunk that is lost, so that what was hashed before comes by again, cut at other places.
    registry.setFaults({
      before: (at) => {
        if (!r.isPatch(at)) return undefined;
        if (at.ordinal === 1 || at.ordinal === 4) crashes.push(open.coordinator.hasher.crashWorker());
        return at.ordinal === 3 ? r.refuse(404, 'BLOB_UPLOAD_UNKNOWN') : undefined;
      },
    });
    await rig.put(1, await fileSource(path));
    await Promise.all(crashes);
    expect(crashes.length).toBe(2);
    expect((await rig.read(1)).equals(content)).toBe(true);
    await folder.remove();
  });

  test.each(['wasm', 'native'] as const)('under blobs in memory (%s) costs no push', async (hasher) => {
    rig = await r.startRig({ hasher });
    const { put, open, read } = rig;
    const contents = [1, 2, 3, 4].map((seed) => seededBytes(seed, 2 * r.MIB));
    const puts = contents.map((content, at) => put(at + 1, content));
    await open.coordinator.hasher.crashWorker();
    await Promise.all(puts);
    for (const [at, content] of contents.entries()) expect((await read(at + 1)).equals(content)).toBe(true);
  });
});
