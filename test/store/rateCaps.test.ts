/** Small objects to a registry that enforces caps, over real sockets: the shares that flow control is held to. */
import { describe, expect, it } from 'vitest';
import { type LiveOptions, type LiveRun, live } from '../../bench/flow/live.ts';

// A sixth of what two loaded processors can send: else they are what limits it, and not the cap.
const CAPS = { manifests: { perSecond: 60, burst: 60 }, sessions: { perSecond: 600, burst: 600 } };
const WARM_UP_MS = 5000;

/** Manifests accepted of those permitted, and refused of those sent, once the client has warmed up. */
function shares({ plan, startMs, endMs }: LiveRun, perSecond = CAPS.manifests.perSecond) {
  const { accepted, refused } = plan.manifests(startMs + WARM_UP_MS, endMs);
  const permitted = ((endMs - startMs - WARM_UP_MS) / 1000) * perSecond;
  return { permitted: accepted / permitted, refused: refused / (accepted + refused) };
}

describe('a registry that takes sixty manifests per second', () => {
  const run = (more: Partial<LiveOptions> = {}) => live({ objects: 1200, caps: CAPS, ...more });

  it('is used to the full, and hardly ever refuses anything, without being known', {
    timeout: 60_000,
  }, async () => {
    const result = await run();
    expect(shares(result).permitted).toBeGreaterThanOrEqual(0.95);
    expect(shares(result).refused).toBeLessThanOrEqual(0.01);
    // Something was refused, or there was nothing to learn from.
    expect(result.plan.counted.some(({ accepted }) => !accepted)).toBe(true);
  });

  it('never refuses anything once its caps are known', { timeout: 60_000 }, async () => {
    const result = await run({ known: true });
    expect(shares(result).permitted).toBeGreaterThanOrEqual(0.95);
    expect(result.plan.counted.filter(({ accepted }) => !accepted)).toEqual([]);
  });
});
