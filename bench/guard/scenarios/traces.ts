/** Recorded reads of plakar on a modelled registry and in virtual time: the read policy as a whole. */
import { join } from 'node:path';
import { DEFAULT_CACHE_BYTES, fitPolicy } from '../../../src/store/reads/readPolicy.ts';
import { LINKS } from '../../reads/links.ts';
import { floorSeconds, replay, stepsOf } from '../../reads/replay.ts';
import { CHOSEN } from '../../reads/variants.ts';
import { unpackTrace } from '../../traces/packed.ts';
import type { Figures, Scenario } from '../scenario.ts';

const TRACES = ['mixed-restore', 'small-restore', 'big-check', 'mixed-cat', 'mixed-ls'] as const;

const scenario: Scenario = async () => {
  const link = LINKS.find(({ name }) => name === '50 ms');
  if (!link) throw new Error('the model has no link of 50 ms');
  const figures: Record<string, number> = {};
  for (const name of TRACES) {
    const trace = await unpackTrace(join(import.meta.dirname, '..', '..', 'traces', `${name}.trace.br`));
    const steps = stepsOf(trace, 1);
    const bytes = steps.reduce((sum, { read }) => sum + read.length, 0);
    const policy = fitPolicy(CHOSEN.policy, DEFAULT_CACHE_BYTES);
    const result = await replay(trace, steps, link, policy, DEFAULT_CACHE_BYTES);
    figures[`${name}: requests per read`] = result.requests / steps.length;
    figures[`${name}: fetched per byte`] = result.fetchedBytes / bytes;
    figures[`${name}: waiting × 50 ms round trips`] = (result.seconds - floorSeconds(steps)) / 0.05;
    figures[`${name}: memory of 64 MiB`] = result.peakBytes / DEFAULT_CACHE_BYTES;
  }
  return figures satisfies Figures;
};

export default scenario;
