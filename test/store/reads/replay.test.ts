/** The budgets of the read path: recorded reads of the real plakar, replayed against a modelled registry. */
import { describe, expect, it } from 'vitest';
import { LINKS } from '../../../bench/reads/links.ts';
import { floorSeconds, replay, stepsOf } from '../../../bench/reads/replay.ts';
import { unpackTrace } from '../../../bench/traces/packed.ts';
import { DEFAULT_CACHE_BYTES, DEFAULT_READ_POLICY } from '../../../src/store/reads/readPolicy.ts';

const TRACES = new URL('../../../bench/traces/', import.meta.url);

async function run(name: string, linkName: string) {
  const trace = await unpackTrace(new URL(`${name}.trace.br`, TRACES).pathname);
  const steps = stepsOf(trace, 0.14);
  const link = LINKS.find((one) => one.name === linkName);
  if (!link) throw new Error(`no link ${linkName}`);
  const result = await replay(trace, steps, link, DEFAULT_READ_POLICY, DEFAULT_CACHE_BYTES);
  const readBytes = steps.reduce((sum, { read }) => sum + read.length, 0);
  return {
    ...result,
    overhead: result.fetchedBytes / readBytes,
    slowdown: result.seconds / floorSeconds(steps),
  };
}

describe('the recorded reads of plakar', () => {
  it.each([
    // 489 MiB in 5,833 reads, of which each was two requests.
    { name: 'mixed-restore', requests: 290, overhead: 1.03, slowdown: { loopback: 1.02, '50 ms': 1.35 } },
    { name: 'big-restore', requests: 190, overhead: 1.03, slowdown: { loopback: 1.05, '50 ms': 1.7 } },
    { name: 'small-restore', requests: 30, overhead: 1.25, slowdown: { loopback: 1.02, '50 ms': 1.1 } },
    { name: 'mixed-check', requests: 320, overhead: 1.03, slowdown: { loopback: 1.02, '50 ms': 1.5 } },
  ])('$name stays within its budget', async ({ name, requests, overhead, slowdown }) => {
    for (const [link, most] of Object.entries(slowdown)) {
      const result = await run(name, link);
      expect(result.requests, link).toBeLessThanOrEqual(requests);
      expect(result.overhead, link).toBeLessThanOrEqual(overhead);
      expect(result.slowdown, link).toBeLessThanOrEqual(most);
      expect(result.peakBytes, link).toBeLessThanOrEqual(DEFAULT_CACHE_BYTES);
    }
  });

  it.each(['big-cat', 'mixed-cat'])(
    '%s of 16 MiB fetches at most one and a half times as much',
    async (name) => {
      for (const { name: link } of LINKS)
        expect((await run(name, link)).overhead, link).toBeLessThanOrEqual(1.5);
    },
  );

  it.each(['mixed-ls', 'mixed-backup', 'small-ls', 'mixed-restore-folder'])(
    '%s is a handful of requests',
    async (name) => {
      const result = await run(name, '50 ms');
      expect(result.requests).toBeLessThanOrEqual(15);
      expect(result.fetchedBytes).toBeLessThanOrEqual(8 * 2 ** 20);
    },
  );
});
