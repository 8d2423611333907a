/**
 * Pushes the same files with kloset-oci, oras and crane to several registries, in turns:
 * `node bench/push.ts --rounds 5 --latency 0,50`. Each push meets a freshly started registry with empty storage:
 * zot links blobs that another repository holds, which would let the second contestant win without sending.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuSecondsOf } from '../test/support/processorTime.ts';
import { REGISTRIES, type RegistryName } from '../test/support/realRegistries.ts';
import { markdown, type Run, summarise } from './push/report.ts';
import { Collector } from './suite/collector.ts';
import { CONTESTANTS, type Contestant, contestant } from './suite/engine/contestants.ts';
import { Stage } from './suite/engine/stage.ts';
import { pushOnce } from './suite/engine/transfers.ts';
import { rotated } from './suite/rotated.ts';

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    registries: { type: 'string', default: Object.keys(REGISTRIES).join(',') },
    contestants: { type: 'string', default: CONTESTANTS.map((one) => one.name).join(',') },
    latency: { type: 'string', default: '0' },
    files: { type: 'string', default: '32' },
    'size-mib': { type: 'string', default: '20' },
    json: { type: 'string' },
    markdown: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const latencies = values.latency.split(',').map(Number);
const registries = values.registries.split(',').map((name) => {
  if (!(name in REGISTRIES)) throw new Error(`unknown registry ${name}`);
  return name as RegistryName;
});
const contestants = values.contestants.split(',').map(contestant);

/** What the other processes on the same cores have used so far. */
async function othersSeconds(registryPid: number): Promise<[registry: number, proxy: number]> {
  const proxyPid = await stage.proxyPid();
  return [await cpuSecondsOf(registryPid), proxyPid === undefined ? 0 : await cpuSecondsOf(proxyPid)];
}

async function measure(
  one: Contestant,
  name: RegistryName,
  roundTripMs: number,
  round: number,
): Promise<Run> {
  const registry = await stage.registry(name);
  try {
    return await stage.over({ roundTripMs }, registry.address, async (address) => {
      const before = await othersSeconds(registry.pid);
      const { seconds, cpuSeconds, peakRssBytes } = await pushOnce(one, work, registry, address);
      const after = await othersSeconds(registry.pid);
      return {
        ...{ registry: name, contestant: one.name, latencyMs: roundTripMs, round },
        ...{ seconds, cpuSeconds, peakRssBytes },
        registryCpuSeconds: after[0] - before[0],
        proxyCpuSeconds: after[1] - before[1],
      };
    });
  } finally {
    await registry.stop();
  }
}

const stage = await Stage.open();
process.env.KLOSET_OCI_STATE_DIR = await stage.freshFolder();
const work = await stage.workload(Number(values.files), Number(values['size-mib']) * MIB);
const runs: Run[] = [];
const label = latencies.map((ms) => `${ms}ms`).join('-');
const jsonFile = values.json ?? join(import.meta.dirname, 'results', `push-${label}.json`);
const collector = new Collector(jsonFile);

try {
  for (let round = 0; round < rounds; round++) {
    for (const latencyMs of latencies) {
      for (const name of registries) {
        for (const one of rotated(contestants, round)) {
          const run = await measure(one, name, latencyMs, round);
          runs.push(run);
          const { registry, contestant, seconds, cpuSeconds, peakRssBytes } = run;
          collector.add(
            {
              ...{ task: 'push', registry, contestant, roundTripMs: latencyMs },
              ...{ objects: work.names.length, objectBytes: work.bytes / work.names.length },
            },
            's',
            seconds,
            { cpuSeconds, peakRssBytes },
          );
          const speed = (work.bytes / MIB / run.seconds).toFixed(0);
          console.error(
            `round ${round + 1}/${rounds} ${latencyMs} ms ${name} ${one.name}: ${run.seconds.toFixed(2)} s, ${speed} MiB/s`,
          );
        }
      }
    }
    // After each round, so that a run that is cut short leaves its figures.
    await collector.save();
    if (values.markdown) await writeFile(values.markdown, markdown(summarise(runs, work.bytes)));
  }
  console.log(markdown(summarise(runs, work.bytes)));
} finally {
  await stage.close();
}
