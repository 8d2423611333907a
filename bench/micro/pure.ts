/** What each request or chunk costs before anything is sent: plans, parsers, flow control. */
import { planChunkBytes } from '../../src/engine/chunkPlan.ts';
import { parseChallenges } from '../../src/registry/auth/challenges.ts';
import { flowPolicy } from '../../src/registry/flowPolicy.ts';
import { HostFlows } from '../../src/registry/hostFlows.ts';
import { nextLink } from '../../src/registry/linkHeader.ts';
import { parseRangeEnd } from '../../src/registry/rangeHeader.ts';
import type { RegistryAnswer, RegistryRequest, Transport } from '../../src/registry/transport.ts';
import { type MicroRun, medianMs } from './measure.ts';

const MIB = 1024 * 1024;
/** Calls of one sample, since one takes less than a clock tells. */
const CALLS = 1000;

const LINK = '</v2/backups/tags/list?n=1000&last=packfiles-00ff>; rel="next"';
const CHALLENGE =
  'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push"';

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

const TASKS: Readonly<Record<string, (i: number) => unknown>> = {
  'chunk plan': (i) =>
    planChunkBytes((i * 7919) % (64 * MIB), {
      wantedBytes: 8 * MIB,
      minBytes: 5 * MIB,
      memoryBytes: 64 * MIB,
    }),
  'Range header': (i) => parseRangeEnd(`bytes=0-${i}`),
  'Link header': () => nextLink(LINK),
  'WWW-Authenticate header': () => parseChallenges(CHALLENGE),
  'request without flow control': () => bare(request),
  'request with flow control': () => flowing(request),
};

export async function measurePure(run: MicroRun): Promise<void> {
  for (const [task, once] of Object.entries(TASKS)) {
    const many = async () => {
      for (let i = 0; i < CALLS; i++) await once(i);
    };
    for (const ms of await medianMs(run, many))
      run.collector.add({ task, contestant: 'ours' }, 'ops/s', (CALLS / ms) * 1000);
  }
}
