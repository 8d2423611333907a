/** Results of benchmarks with something for every chart, made up: what a page does with figures is what is tested. */
import { type Result, SCHEMA, type Situation, type SuiteFile, type Unit } from '../../bench/suite/schema.ts';

const MIB = 1024 * 1024;
const REGISTRIES = ['embedded', 'docker-registry', 'distribution3', 'zot'];
const PROGRAMS = { ours: 1, oras: 1.1, crane: 0.7, regctl: 1.3, skopeo: 1.6 };

type Costs = Pick<Result, 'cpuSecondsPerGiB' | 'requests' | 'peakRssBytes'>;

/** @param factor what all figures are multiplied with, so that two runs differ */
export function suiteFile(date: string, commit: string, factor = 1): SuiteFile {
  const results: Result[] = [];
  const add = (situation: Situation, unit: Unit, value: number, costs: Costs = {}) => {
    const median = value * factor;
    results.push({
      ...situation,
      unit,
      samples: [median * 0.9, median, median * 1.2],
      median,
      spread: 0.1,
      ...costs,
    });
  };
  for (const task of ['pull', 'push']) {
    for (const [contestant, times] of Object.entries(PROGRAMS)) {
      const costs = { cpuSecondsPerGiB: times, requests: 100 * times, peakRssBytes: 90 * MIB };
      for (const registry of REGISTRIES) {
        const base = { task, registry, contestant, objectBytes: 20 * MIB, objects: 32 };
        add({ ...base, roundTripMs: 0 }, 's', 2 * times, costs);
      }
      const one = { task, registry: 'docker-registry', contestant };
      for (const roundTripMs of [10, 50, 150])
        add({ ...one, objectBytes: 20 * MIB, objects: 32, roundTripMs }, 's', 2 * times + roundTripMs / 50);
      for (const [objects, objectBytes] of [
        [2000, 64 * 1024],
        [256, MIB],
        [8, 64 * MIB],
      ] as const)
        add({ ...one, objectBytes, objects }, 's', times + objects / 200, { requests: 3 * objects });
      const bandwidthBytesPerSecond = 20 * MIB;
      add(
        { ...one, objectBytes: 20 * MIB, objects: 32, roundTripMs: 50, bandwidthBytesPerSecond },
        's',
        9 * times,
      );
      for (const concurrency of [1, 2, 4, 8, 16, 32])
        add({ ...one, objectBytes: MIB, objects: 128, concurrency }, 's', 0.3 * times + 1 / concurrency);
    }
  }
  for (const mode of ['native-chunked', 'native-monolithic', 'wasm-chunked', 'wasm-monolithic'])
    for (const registry of REGISTRIES)
      add({ task: 'push', registry, contestant: `ours-${mode}`, objectBytes: 20 * MIB, objects: 32 }, 's', 2);
  for (const task of ['backup', 'restore', 'check', 'maintenance'])
    for (const [contestant, seconds] of Object.entries({
      directory: 3,
      ours: 4,
      go: 12,
      'restic, rclone': 3,
    }))
      for (const roundTripMs of [0, 50])
        add(
          {
            task: `whole: ${task}`,
            registry: 'docker-registry',
            contestant,
            objects: 1,
            objectBytes: 86 * MIB,
            roundTripMs,
          },
          's',
          seconds + roundTripMs / 20,
        );
  for (const operation of ['put', 'get', 'delete'])
    for (const contestant of ['ours', 'bare'])
      for (const storedObjects of [1000, 10_000, 100_000])
        add(
          {
            task: `${operation}, one object`,
            registry: 'embedded',
            contestant,
            storedObjects,
            concurrency: 8,
          },
          'ms',
          contestant === 'ours' ? 2 : 1.5,
        );
  for (const contestant of ['ours', 'bare', 'oras', 'crane'])
    for (const storedObjects of [1000, 100_000])
      add({ task: 'list', registry: 'pages', contestant, storedObjects }, 's', storedObjects / 2e5);
  for (const contestant of ['ours', 'node:http2'])
    for (const task of ['plugin: Put', 'plugin: Get'])
      add({ task, contestant, concurrency: 8 }, 'MiB/s', contestant === 'ours' ? 900 : 400);
  for (const [contestant, rate] of Object.entries({ native: 1300, wasm: 216 }))
    for (const concurrency of [1, 2, 4, 8])
      add({ task: 'hash', contestant, objectBytes: 16 * MIB, concurrency }, 'MiB/s', rate);
  add({ task: 'Range header', contestant: 'ours' }, 'ops/s', 5e6);
  return {
    schema: SCHEMA,
    machine: {
      ...{ cpu: 'A processor <of> "some" kind', cores: 2, memoryBytes: 2 ** 34, platform: 'linux 6.1' },
      ...{ storage: 'memory', loadAverage: 0.5 },
    },
    versions: { node: 'v24.0.0', oras: '1.2.3' },
    git: { commit, dirty: false },
    date,
    results,
  };
}
