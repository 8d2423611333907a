import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planChunkBytes } from '../../src/engine/chunkPlan.ts';
import { HostMemory } from '../../src/engine/hostMemory.ts';

const MIB = 1024 * 1024;

describe('what is known of a host', () => {
  it('is asked for once, by the first who needs it', async () => {
    const host = new HostMemory();
    let asked = 0;
    host.askFirst(async () => {
      asked++;
      return { takesChunks: false };
    });
    expect(host.takesChunks).toBe(true);
    await Promise.all([host.ready(), host.ready()]);
    await host.ready();
    expect({ asked, takesChunks: host.takesChunks, learned: host.learned }).toEqual({
      asked: 1,
      takesChunks: false,
      learned: {},
    });
  });

  it('is nothing where the source fails', async () => {
    const host = new HostMemory();
    host.askFirst(() => Promise.reject(new Error('no file')));
    await host.ready();
    expect(host.facts).toEqual({});
  });

  it('is not taken from a line that broke', () => {
    const host = new HostMemory();
    host.bodySuspected(20 * MIB);
    expect(host.formFor(20 * MIB, true, 'auto')).toBe('chunked');
    expect(host.learned).toEqual({});
    host.bodySuspected(300);
    expect(host.maxBodyBytes).toBe(20 * MIB - 1);
    host.bodyRefused(8 * MIB);
    expect(host.learned).toEqual({ bodyMaxBytes: 4 * MIB });
    expect(host.maxBodyBytes).toBe(4 * MIB);
  });

  it('is not taken from a line that broke under a length that has passed', () => {
    const host = new HostMemory();
    host.bodySuspected(20 * MIB);
    host.bodyPassed(20 * MIB);
    expect(host.formFor(30 * MIB, true, 'auto')).toBe('monolithic');
    host.bodySuspected(20 * MIB);
    expect(host.formFor(30 * MIB, true, 'auto')).toBe('monolithic');
    host.bodySuspected(25 * MIB);
    host.bodyPassed(20 * MIB);
    expect(host.formFor(25 * MIB, true, 'auto')).toBe('chunked');
    expect(host.formFor(20 * MIB, true, 'auto')).toBe('monolithic');
  });

  it('gives way to what the host shows', async () => {
    const host = new HostMemory();
    host.singlePost = false;
    host.seed({ singlePost: true, tagDelete: false });
    expect(host.facts).toEqual({ singlePost: false, tagDelete: false });
    expect(host.learned).toEqual({ singlePost: false });
    host.learn({ tagDelete: false });
    expect(host.learned).toEqual({ singlePost: false });
  });

  it('keeps the forms that are known to be refused out of the plan', () => {
    const host = new HostMemory();
    host.seed({ takesChunks: false });
    expect(host.formFor(1, false, 'auto')).toBe('monolithic');
    expect(host.formFor(Number.POSITIVE_INFINITY, false, 'auto')).toBe('monolithic');
  });

  it('prefers whole bodies up to the limit that it has met', () => {
    const host = new HostMemory();
    host.seed({ prefersWhole: true, chunkMaxBytes: 4 * MIB });
    expect(host.formFor(500 * MIB, false, 'auto')).toBe('monolithic');
    host.bodyRefused(20 * MIB);
    expect(host.formFor(20 * MIB, true, 'auto')).toBe('chunked');
    expect(host.chunkBytes).toBe(4 * MIB);
  });
});

describe('chunks', () => {
  it('keep the step and the limits of the host, however often they grow and shrink', () => {
    const steps = fc.array(fc.boolean(), { maxLength: 12 });
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 21, max: 100 }),
        (grows, min, max) => {
          const host = new HostMemory();
          host.seed({ chunkStepBytes: 10 * MIB, chunkMinBytes: min * MIB, chunkMaxBytes: max * MIB });
          for (const grow of grows) {
            if (grow) host.chunksWorked();
            else host.chunkFailed();
            const planned = planChunkBytes(undefined, {
              wantedBytes: host.chunkBytes,
              minBytes: host.minChunkBytes,
              maxBytes: host.maxChunkBytes,
              memoryBytes: 64 * MIB,
            });
            expect(planned).toBeGreaterThanOrEqual(min * MIB);
            expect(planned).toBeLessThanOrEqual(max * MIB);
            if (host.chunkBytes > 10 * MIB) expect(host.chunkBytes % (10 * MIB)).toBe(0);
          }
        },
      ),
    );
  });
});
