/**
 * Replays recorded reads against a modelled registry, with the cache and the policy of the product and time that
 * jumps: `npm run bench:reads`, or with `-- --variants` other constants beside the chosen ones. Takes seconds, and
 * gives the same figures every time.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_CACHE_BYTES, fitPolicy } from '../src/store/reads/readPolicy.ts';
import { LINKS } from './reads/links.ts';
import { floorSeconds, replay, stepsOf } from './reads/replay.ts';
import { CHOSEN, VARIANTS, type Variant } from './reads/variants.ts';
import { unpackTrace } from './traces/packed.ts';

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    variants: { type: 'boolean', default: false },
    traces: { type: 'string', default: join(import.meta.dirname, 'traces') },
    only: { type: 'string', default: '' },
  },
});

// What plakar restores from a directory in a second, on a machine of two processors that does nothing else.
const HOST_MIBPS = 46;
const YARDSTICK = 'mixed-restore';
const SPARSE = ['cat', 'ls', 'restore-folder', 'backup'];

const names = (await readdir(values.traces))
  .filter((name) => name.endsWith('.trace.br'))
  .map((name) => name.replace('.trace.br', ''))
  .sort();

/**
 * What the host's own time is multiplied with: traces are recorded beside a registry and whatever else the machine
 * does, and a host that is slow leaves more time to fetch ahead than there is.
 */
async function hostFactor(): Promise<number> {
  const steps = stepsOf(await unpackTrace(pathOf(YARDSTICK)), 1);
  return bytesOf(steps) / MIB / HOST_MIBPS / floorSeconds(steps);
}

function pathOf(name: string): string {
  return join(values.traces, `${name}.trace.br`);
}

function bytesOf(steps: ReturnType<typeof stepsOf>): number {
  return steps.reduce((sum, { read }) => sum + read.length, 0);
}

const factor = await hostFactor();
const traces = await Promise.all(
  names
    .filter((name) => name.includes(values.only))
    .map(async (name) => {
      const trace = await unpackTrace(pathOf(name));
      const steps = stepsOf(trace, factor);
      return { name, trace, steps, readBytes: bytesOf(steps) };
    }),
);

const run = (one: (typeof traces)[number], link: (typeof LINKS)[number], variant: Variant) =>
  replay(one.trace, one.steps, link, fitPolicy(variant.policy, variant.cacheBytes), variant.cacheBytes);

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

async function printTraces(): Promise<void> {
  const heads = ['trace', 'reads', 'MiB', 'floor s', ...LINKS.map(({ name }) => name)];
  process.stdout.write(`Seconds, requests, MiB fetched; memory ${DEFAULT_CACHE_BYTES / MIB} MiB.\n\n`);
  process.stdout.write(row(heads) + row(heads.map((_, at) => (at === 0 ? '---' : '---:'))));
  for (const one of traces) {
    const cells: string[] = [];
    for (const link of LINKS) {
      const { seconds, requests, fetchedBytes } = await run(one, link, CHOSEN);
      cells.push(`${seconds.toFixed(2)} / ${requests} / ${(fetchedBytes / MIB).toFixed(1)}`);
    }
    const { name, steps, readBytes } = one;
    const floor = floorSeconds(steps).toFixed(2);
    process.stdout.write(row([name, steps.length, (readBytes / MIB).toFixed(1), floor, ...cells]));
  }
}

/** Restores and sparse reads: what they take beyond their floors, their requests, their bytes. */
async function printVariants(): Promise<void> {
  const links = LINKS.filter(({ name }) => name === '50 ms');
  const restores = traces.filter(({ name }) => name === YARDSTICK || name === 'small-restore');
  const sparse = traces.filter(({ name }) => SPARSE.some((end) => name.endsWith(end)));
  const heads = ['constants'];
  for (const kind of ['restore', 'sparse'])
    heads.push(...links.map(({ name }) => `${kind}, ${name}`), 'requests', 'fetched / read');
  process.stdout.write(row(heads) + row(heads.map((_, at) => (at === 0 ? '---' : '---:'))));
  for (const variant of VARIANTS) {
    const cells: (string | number)[] = [variant.name];
    for (const group of [restores, sparse]) {
      const sums = await Promise.all(links.map((link) => sum(group, link, variant)));
      cells.push(...sums.map(({ seconds }) => `${seconds.toFixed(1)} s`));
      const { requests = 0, fetchedBytes = 0 } = sums[0] ?? {};
      cells.push(requests, (fetchedBytes / group.reduce((all, one) => all + one.readBytes, 0)).toFixed(2));
    }
    process.stdout.write(row(cells));
  }
}

async function sum(group: typeof traces, link: (typeof LINKS)[number], variant: Variant) {
  const total = { seconds: 0, requests: 0, fetchedBytes: 0 };
  for (const one of group) {
    const { seconds, requests, fetchedBytes } = await run(one, link, variant);
    total.seconds += seconds - floorSeconds(one.steps);
    total.requests += requests;
    total.fetchedBytes += fetchedBytes;
  }
  return total;
}

if (values.variants) await printVariants();
else await printTraces();
