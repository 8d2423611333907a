/** What a put, a get and a delete cost in stores of more and more objects. */
import { REGISTRIES, type RealRegistry, type RegistryName } from '../../../test/support/realRegistries.ts';
import { rotated } from '../rotated.ts';
import type { ClientJob } from './client.ts';
import { prefill } from './prefill.ts';
import { runClient } from './runClient.ts';
import type { Run } from './transfers.ts';

const REPOSITORY = 'bench/scaling';
/** More than what rides in manifests, so that a get fetches a blob; and no more, since the bytes are not the subject. */
const OBJECT_BYTES = 5000;
/** Beyond those that any store of these has. */
const FIRST_NEW = 1_000_000;
const CONTESTANTS = ['ours', 'bare'] as const;

interface Grown {
  readonly registry: RealRegistry;
  readonly storedObjects: number;
}

/**
 * All sizes at once and in turns, so that what else the machine does meets all of them.
 *
 * @param operations objects that each run puts, gets or deletes
 */
export async function measureScaling(
  name: RegistryName,
  sizes: readonly number[],
  operations: number,
  { rounds, stage, collector, log }: Run,
): Promise<void> {
  const stores: Grown[] = [];
  try {
    for (const count of sizes) {
      const registry = await REGISTRIES[name].start({
        parent: stage.parent,
        fill: (storage) =>
          prefill(name, storage, { repository: REPOSITORY, count, objectBytes: OBJECT_BYTES }),
      });
      stores.push({ registry, storedObjects: count });
    }
    let firstNew = FIRST_NEW;
    // The first round loads the registries' code and counts for nothing.
    for (let round = -1; round < rounds; round++) {
      for (const store of rotated(stores, Math.max(0, round))) {
        for (const contestant of rotated(CONTESTANTS, Math.max(0, round))) {
          for (const operation of ['put', 'get', 'delete'] as const) {
            // What was put is deleted again, so that a store keeps its size; what is got was there before.
            const first = operation === 'get' ? 0 : firstNew;
            const report = await runClient({
              ...{ contestant, operation, address: store.registry.address, repository: REPOSITORY },
              ...{ first, count: operations, objectBytes: OBJECT_BYTES, concurrency: 8 },
            });
            if (round >= 0) note(store, contestant, operation, report.seconds, report);
          }
          firstNew += operations;
        }
      }
      await collector.save();
    }
  } finally {
    for (const { registry } of stores) await registry.stop();
  }

  function note(
    { storedObjects }: Grown,
    contestant: string,
    operation: ClientJob['operation'],
    seconds: number,
    costs: { cpuSeconds: number; requests: number; peakRssBytes: number },
  ): void {
    const ms = (seconds * 1000) / operations;
    const { cpuSeconds, requests, peakRssBytes } = costs;
    collector.add(
      { task: `${operation}, one object`, registry: name, contestant, storedObjects, concurrency: 8 },
      'ms',
      ms,
      { cpuSeconds: cpuSeconds / operations, requests: requests / operations, peakRssBytes },
    );
    log(`${operation}, ${name}, store of ${storedObjects}, ${contestant}: ${ms.toFixed(2)} ms an object`);
  }
}
