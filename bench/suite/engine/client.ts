/**
 * One operation on many objects in a process of its own: `node client.ts '{"contestant":"ours",…}'` prints a line of
 * JSON. The clock runs while the operations do; the start and the first walk over the tags are not in it.
 */
import { bufferSource } from '../../../src/engine/bufferSource.ts';
import { forEachMac } from '../../../src/store/macList.ts';
import { openOciStore } from '../../../src/store/openStore.ts';
import { runAll } from '../../../src/store/runAll.ts';
import { macOf, noise } from '../../guard/bytes.ts';
import { BareRequests } from './bareRequests.ts';

export interface ClientJob {
  readonly contestant: 'ours' | 'bare';
  readonly operation: 'put' | 'get' | 'delete' | 'list';
  readonly address: string;
  readonly repository: string;
  /** The numbers of the objects, which give their MACs. */
  readonly first: number;
  readonly count: number;
  readonly objectBytes: number;
  readonly concurrency: number;
}

export interface ClientReport {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly requests: number;
  readonly peakRssBytes: number;
  /** Of a list: objects, or pages where nobody looks at what is in them. */
  readonly listed: number;
}

interface Client {
  /** What a process pays once. */
  prepare(): Promise<void>;
  put(number: number): Promise<void>;
  get(number: number): Promise<void>;
  delete(number: number): Promise<void>;
  list(): Promise<number>;
  requests(): number;
  close(): Promise<void>;
}

const refOf = (number: number) => ({ type: 'packfile', mac: macOf(number) }) as const;

function oursFor({ address, repository, objectBytes, operation }: ClientJob): Client {
  const open = openOciStore(`oci://${address}/${repository}`, { looksBeforePut: false });
  const { store } = open;
  return {
    prepare: async () => {
      if (operation === 'list') return;
      if (operation === 'put') {
        store.prepareUploads();
        await open.coordinator.hasher.provider();
      }
      await store.primeTags();
    },
    put: async (number) => {
      await store.put(refOf(number), bufferSource(noise(number, objectBytes), macOf(number)));
    },
    get: async (number) => {
      const { stream } = await store.get(refOf(number));
      for await (const _ of stream);
    },
    delete: (number) => store.delete(refOf(number)),
    list: async () => {
      let count = 0;
      await forEachMac(store.list('packfile'), () => count++);
      return count;
    },
    requests: () => Object.values(open.stats().requests).reduce((sum, n) => sum + n, 0),
    close: () => open.close(),
  };
}

function bareFor({ address, repository, objectBytes }: ClientJob): Client {
  const bare = new BareRequests(address, repository);
  return {
    prepare: async () => {},
    put: (number) => bare.put(refOf(number), noise(number, objectBytes)),
    get: async (number) => {
      await bare.get(refOf(number));
    },
    delete: (number) => bare.delete(refOf(number)),
    list: () => bare.list(),
    requests: () => bare.requests,
    close: () => bare.close(),
  };
}

const job = JSON.parse(process.argv[2] ?? '{}') as ClientJob;
const client = job.contestant === 'ours' ? oursFor(job) : bareFor(job);
try {
  await client.prepare();
  const before = { requests: client.requests(), cpu: process.cpuUsage(), at: performance.now() };
  let listed = 0;
  if (job.operation === 'list') listed = await client.list();
  else {
    const numbers = Array.from({ length: job.count }, (_, i) => job.first + i);
    const { operation } = job;
    await runAll(numbers, { concurrency: job.concurrency }, (number) => client[operation](number));
  }
  const seconds = (performance.now() - before.at) / 1000;
  const { user, system } = process.cpuUsage(before.cpu);
  const report: ClientReport = {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    requests: client.requests() - before.requests,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    listed,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
} finally {
  await client.close();
}
