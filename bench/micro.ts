/**
 * Micro-benchmarks: hashing by both providers over 1 to 8 lanes, the chunk plan, header parsing, flow control.
 * `node bench/micro.ts [--quick] [--json FILE]`
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { planChunkBytes } from '../src/engine/chunkPlan.ts';
import { flowPolicy } from '../src/registry/flowPolicy.ts';
import { HostFlows } from '../src/registry/hostFlows.ts';
import { parseRangeEnd } from '../src/registry/rangeHeader.ts';
import type { RegistryAnswer, RegistryRequest, Transport } from '../src/registry/transport.ts';
import { Hasher } from '../src/workers/hasher.ts';
import { SlabPool } from '../src/workers/slabs.ts';
import { Collector } from './suite/collector.ts';
import type { Situation, Unit } from './suite/schema.ts';

const MIB = 1024 * 1024;
const HASHED_BYTES = 16 * MIB;
const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } });
const timeMs = values.quick ? 100 : 1000;

interface Row {
  readonly name: string;
  /** Where it stands among the results of all benchmarks. */
  readonly situation: Situation;
  readonly value: number;
  readonly unit: Unit;
  readonly spreadPercent: number;
}
const rows: Row[] = [];

for (const provider of ['native', 'wasm'] as const) {
  for (const lanes of values.quick ? [1, 2] : [1, 2, 4, 8]) {
    const hasher = new Hasher({ choice: provider, threads: Math.min(lanes, availableParallelism()) });
    const slabs = new SlabPool(lanes * HASHED_BYTES, HASHED_BYTES);
    const held = await Promise.all(Array.from({ length: lanes }, () => slabs.acquire(HASHED_BYTES)));
    const bench = new Bench({ time: timeMs, warmupTime: 50 });
    bench.add('hash', () => Promise.all(held.map((slab) => hasher.digest(slab.slices(HASHED_BYTES)))));
    await bench.run();
    const latency = latencyOf(bench);
    const perSecond = (lanes * HASHED_BYTES) / MIB / (latency.ms / 1000);
    rows.push({
      name: `${provider}, ${lanes} lanes`,
      situation: { task: 'hash', contestant: provider, objectBytes: HASHED_BYTES, concurrency: lanes },
      value: perSecond,
      unit: 'MiB/s',
      spreadPercent: latency.spread,
    });
    await hasher.close();
  }
}

const pure = new Bench({ time: timeMs });
let size = 0;
pure.add('chunk plan', () => {
  size = (size + 7919) % (64 * MIB);
  planChunkBytes(size, { wantedBytes: 8 * MIB, minBytes: 5 * MIB, memoryBytes: 64 * MIB });
});
pure.add('Range header', () => {
  parseRangeEnd('bytes=0-1048575');
});

// What flow control costs a request while nothing was ever refused.
const answer: RegistryAnswer = {
  status: 200,
  headers: {},
  body: Object.assign((async function* () {})(), { cancel: async () => {} }),
};
const request: RegistryRequest = {
  kind: 'blob-head',
  method: 'HEAD',
  url: new URL('https://registry.example/v2/a/b/blobs/sha256:0'),
};
const bare: Transport = async () => answer;
const flowing = flowPolicy(new HostFlows())(bare);
pure.add('request without flow control', async () => {
  await bare(request);
});
pure.add('request with flow control', async () => {
  await flowing(request);
});
await pure.run();
for (const task of pure.tasks) {
  const { result } = task;
  if (!('throughput' in result)) throw new Error(`${task.name} has no result`);
  rows.push({
    name: task.name,
    situation: { task: task.name, contestant: 'ours' },
    value: result.throughput.mean,
    unit: 'ops/s',
    spreadPercent: result.throughput.rme,
  });
}

process.stdout.write('| task | value | unit | ± % |\n| --- | ---: | --- | ---: |\n');
for (const { name, value, unit, spreadPercent } of rows) {
  process.stdout.write(`| ${name} | ${Math.round(value)} | ${unit} | ${spreadPercent.toFixed(1)} |\n`);
}
const collector = new Collector(values.json);
for (const { situation, unit, value } of rows) collector.add(situation, unit, value);
await collector.save();

function latencyOf(bench: Bench): { ms: number; spread: number } {
  const result = bench.tasks[0]?.result;
  if (!result || !('latency' in result)) throw new Error('the benchmark has no result');
  return { ms: result.latency.p50, spread: result.latency.rme };
}
