/** Small objects to a registry that enforces caps, over real sockets: the shares that flow control is held to. */
import { describe, expect, it } from 'vitest';
import { type LiveOptions, type LiveRun, live } from '../../bench/flow/live.ts';

const CAPS = { manifests: { perSecond: 100, burst: 100 }, sessions: { perSecond: 1000, burst: 1000 } };
const WARM_UP_MS = 2000;

/** Manifests accepted of those permitted, and refused of those sent, once the client has warmed up. */
function shares({ plan, startMs, endMs }: LiveRun, perSecond = CAPS.manifests.perSecond) {
  const { accepted, refused } = plan.manifests(startMs + WARM_UP_MS, endMs);
  const permitted = ((endMs - startMs - WARM_UP_MS) / 1000) * perSecond;
  return { permitted: accepted / permitted, refused: refused / (accepted + refused) };
}

describe('a registry that takes a hundred manifests per second', () => {
  const run = (more: Partial<LiveOptions> = {}) => live({ objects: 800, caps: CAPS, ...more });

  it('is used to the full, and hardly ever refuses anything, without being known', async () => {
    const result = await run();
    expect(shares(result).permitted).toBeGreaterThanOrEqual(0.95);
    expect(shares(result).refused).toBeLessThanOrEqual(0.01);
    // Something was refused, or there was nothing to learn from.
    expect(result.plan.counted.some(({ accepted }) => !accepted)).toBe(true);
  });

  it('never refuses anything once its caps are known', async () => {
    const result = await run({ known: true });
    expect(shares(result).permitted).toBeGreaterThanOrEqual(0.95);
    expect(result.plan.counted.filter(({ accepted }) => !accepted)).toEqual([]);
  });
});
