/** Lists a repository of many tags: our store, the bare pages, and the programs that list tags. */
import { fileURLToPath } from 'node:url';
import { runOk } from '../../../test/support/measured.ts';
import { hasPeer, peer } from '../../../test/support/peers.ts';
import { start } from '../../../test/support/processes.ts';
import { rotated } from '../rotated.ts';
import type { Costs } from '../schema.ts';
import { runClient } from './runClient.ts';
import type { Link } from './stage.ts';
import type { Run } from './transfers.ts';

const SERVER = fileURLToPath(new URL('tagPages.ts', import.meta.url));
const REPOSITORY = 'bench/tags';

type List = (address: string) => Promise<{ readonly seconds: number } & Costs>;

function client(contestant: 'ours' | 'bare', objects: number): List {
  return async (address) => {
    const report = await runClient({
      ...{ contestant, operation: 'list', address, repository: REPOSITORY },
      ...{ first: 0, count: 0, objectBytes: 0, concurrency: 1 },
    });
    const wanted = contestant === 'ours' ? objects : Math.ceil((objects + 1) / 1000);
    if (report.listed !== wanted) throw new Error(`${contestant} listed ${report.listed} and not ${wanted}`);
    return report;
  };
}

function program(name: string, args: (repository: string) => readonly string[], objects: number): List {
  return async (address) => {
    const run = await runOk(peer(name), args(`${address}/${REPOSITORY}`));
    const lines = run.stdout.trimEnd().split('\n').length;
    if (lines !== objects + 1) throw new Error(`${name} listed ${lines} tags and not ${objects + 1}`);
    return run;
  };
}

const lists = (objects: number): (readonly [name: string, list: List])[] => [
  ['ours', client('ours', objects)],
  ['bare', client('bare', objects)],
  ...(hasPeer('oras')
    ? [['oras', program('oras', (at) => ['repo', 'tags', '--plain-http', at], objects)] as const]
    : []),
  ...(hasPeer('crane')
    ? [['crane', program('crane', (at) => ['ls', '--insecure', at], objects)] as const]
    : []),
];

export async function measureListing(
  objects: number,
  links: readonly Link[],
  { rounds, stage, collector, log }: Run,
): Promise<void> {
  const server = start(process.execPath, [SERVER, String(objects)]);
  try {
    const [, upstream = ''] = await server.waitForLine(/^listening (\S+)$/);
    for (const link of links) {
      await stage.over(link, upstream, async (address) => {
        for (let round = 0; round < rounds; round++) {
          for (const [contestant, list] of rotated(lists(objects), round)) {
            const { seconds, cpuSeconds, peakRssBytes, requests } = await list(address);
            collector.add(
              {
                ...{ task: 'list', registry: 'pages', contestant, storedObjects: objects },
                roundTripMs: link.roundTripMs,
              },
              's',
              seconds,
              {
                ...(cpuSeconds !== undefined && { cpuSeconds }),
                ...(peakRssBytes !== undefined && { peakRssBytes }),
                ...(requests !== undefined && { requests }),
              },
            );
            log(`list, ${objects} tags, ${link.roundTripMs} ms, ${contestant}: ${seconds.toFixed(3)} s`);
          }
          await collector.save();
        }
      });
    }
  } finally {
    await server.stop();
  }
}
