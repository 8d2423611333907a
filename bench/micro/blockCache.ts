/** The block cache on recorded reads of plakar: what it fetches for them, and how many of them it answers a second. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_CACHE_BYTES, DEFAULT_READ_POLICY, fitPolicy } from '../../src/store/reads/readPolicy.ts';
import { LINKS } from '../reads/links.ts';
import { replay, stepsOf } from '../reads/replay.ts';
import { unpackTrace } from '../traces/packed.ts';
import type { MicroRun } from './measure.ts';

const TRACES = join(import.meta.dirname, '..', 'traces');
const END = '.trace.br';
const LINK = '50 ms';

export async function measureBlockCache({ collector, samples, quick }: MicroRun): Promise<void> {
  const link = LINKS.find(({ name }) => name === LINK);
  if (!link) throw new Error(`there is no link ${LINK}`);
  const names = (await readdir(TRACES)).filter((name) => name.endsWith(END)).sort();
  for (const name of quick ? names.filter((one) => one.startsWith('mixed-')) : names) {
    const trace = await unpackTrace(join(TRACES, name));
    const steps = stepsOf(trace, 1);
    const readBytes = steps.reduce((sum, { read }) => sum + read.length, 0);
    const situation = { task: `block cache: ${name.replace(END, '')}`, contestant: 'ours', roundTripMs: 50 };
    const policy = fitPolicy(DEFAULT_READ_POLICY, DEFAULT_CACHE_BYTES);
    for (let i = 0; i < samples; i++) {
      const begun = process.cpuUsage();
      const { requests, fetchedBytes } = await replay(trace, steps, link, policy, DEFAULT_CACHE_BYTES);
      const { user, system } = process.cpuUsage(begun);
      collector.add(situation, 'ops/s', steps.length / ((user + system) / 1e6));
      // Time is simulated: these are the same in every run.
      if (i > 0) continue;
      collector.add(situation, 'requests', requests);
      collector.add(situation, 'bytes/byte', fetchedBytes / readBytes);
    }
  }
}
