/**
 * Caps over real sockets: one that is halved in mid-run, and one that two processes share. Three minutes, with
 * KLOSET_OCI_CHAOS=1 or KLOSET_OCI_LONG=1.
 */
import { describe, expect, test } from 'vitest';
import { type LiveRun, live } from '../../../bench/flow/live.ts';

const PER_SECOND = 60;
const bucket = (perSecond: number) => ({ perSecond, burst: perSecond });
const CAPS = { manifests: bucket(PER_SECOND), sessions: bucket(10 * PER_SECOND) };
const SETTLING_MS = 15_000;
const SHARED_SECONDS = 58;
/** Until two clients have found each other's measure. */
const MEETING_MS = 20_000;
/** Minutes of load: for those who ask for them. */
const ASKED = process.env.KLOSET_OCI_LONG === '1' || process.env.KLOSET_OCI_CHAOS === '1';

/** Manifests accepted of those permitted in a time, and refused of those sent. */
function shares({ plan }: LiveRun, perSecond: number, fromMs: number, toMs: number, repository?: string) {
  const { accepted, refused } = plan.manifests(fromMs, toMs, repository);
  const permitted = ((toMs - fromMs) / 1000) * perSecond;
  return { permitted: accepted / permitted, refused: refused / (accepted + refused) };
}

describe.skipIf(!ASKED)('a registry that takes sixty manifests per second', () => {
  test('and then half of that: fifteen seconds later all of it is used, and hardly more', {
    timeout: 120_000,
  }, async () => {
    const run = await live({ objects: 1800, caps: CAPS, later: bucket(PER_SECOND / 2) });
    const { startMs, endMs, laterMs = Number.NaN } = run;
    const settled = shares(run, PER_SECOND / 2, laterMs + SETTLING_MS, endMs);
    console.log(`halved after ${((laterMs - startMs) / 1000).toFixed(1)} s; 15 s later:`, settled);
    expect(settled.permitted).toBeGreaterThanOrEqual(0.95);
    expect(settled.refused).toBeLessThanOrEqual(0.02);
    expect(shares(run, PER_SECOND / 2, laterMs, laterMs + SETTLING_MS).permitted).toBeGreaterThanOrEqual(
      0.95,
    );
  });

  test.each([
    ['learn', false],
    ['know', true],
  ])(
    'is shared by two processes that %s it, each with at least forty of a hundred',
    {
      timeout: 120_000,
    },
    async (_, known) => {
      const run = await live({ objects: 1e6, caps: CAPS, known, clients: 2, seconds: SHARED_SECONDS });
      const [fromMs, toMs] = [run.startMs + MEETING_MS, run.endMs - 1000];
      const each = run.repositories.map((one) => shares(run, PER_SECOND, fromMs, toMs, one));
      console.log(`of the cap, and refused:`, each);
      for (const { permitted } of each) expect(permitted).toBeGreaterThanOrEqual(0.4);
      expect(each.reduce((sum, { permitted }) => sum + permitted, 0)).toBeGreaterThanOrEqual(0.95);
    },
  );
});
