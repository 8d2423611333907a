/** The acceptance run in real time: small objects pushed to the embedded registry while it enforces caps. */
import { createHash } from 'node:crypto';
import { startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { HostFlows } from '../../src/registry/hostFlows.ts';
import type { RateCap } from '../../src/registry/profiles.ts';
import { objectRef } from '../../src/store/objectNames.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { runAll } from '../../src/store/runAll.ts';
import { CapPlan, type LiveCap, type LiveCaps } from './liveRegistry.ts';

export interface LiveRun {
  readonly plan: CapPlan;
  readonly startMs: number;
  readonly endMs: number;
}

export interface LiveOptions {
  readonly objects: number;
  readonly caps: LiveCaps;
  /** Whether the client is told the caps. */
  readonly known?: boolean;
  readonly clients?: number;
  /** Half-way, the cap on manifests becomes this one. */
  readonly later?: LiveCap;
}

/** Each client is a process of its own to the registry: it shares nothing with the others. */
async function push(address: string, client: number, { objects, caps, known }: LiveOptions): Promise<void> {
  const documented: RateCap[] = [
    { kinds: ['manifest-write'], ...caps.manifests },
    { kinds: ['upload-start'], ...caps.sessions },
  ];
  const open = openOciStore(`oci://${address}/live/client${client}`, {
    hasher: 'native',
    looksBeforePut: false,
    flows: new HostFlows(),
    ...(known && { caps: documented }),
  });
  try {
    const numbers = Array.from({ length: objects }, (_, at) => at);
    await runAll(numbers, {}, async (number) => {
      const name = `client ${client} object ${number}`;
      const mac = createHash('sha256').update(name).digest('hex');
      await open.store.put(objectRef('packfile', mac), bufferSource(Buffer.from(name.repeat(20)), name));
    });
  } finally {
    await open.close();
  }
}

export async function live(options: LiveOptions): Promise<LiveRun> {
  const registry = await startRegistry();
  const plan = new CapPlan(options.caps);
  const { later, objects, clients = 1 } = options;
  let accepted = 0;
  registry.setFaults({
    before: plan.before,
    answer: ({ method, route }, { status }) => {
      if (method === 'PUT' && route === 'manifest' && status === 201 && ++accepted === objects / 2 && later) {
        plan.setManifestCap(later);
      }
      return undefined;
    },
  });
  const startMs = performance.now();
  try {
    await Promise.all(
      Array.from({ length: clients }, (_, client) => push(registry.address, client, options)),
    );
  } finally {
    await registry.close();
  }
  const endMs = plan.counted.reduce((last, one) => (one.accepted ? Math.max(last, one.ms) : last), startMs);
  return { plan, startMs, endMs };
}

const CAPS: LiveCaps = { manifests: { perSecond: 10, burst: 10 }, sessions: { perSecond: 100, burst: 100 } };

/** All variants one after the other; prints one line for each. */
export async function runLive(objects: number): Promise<void> {
  process.stdout.write(
    '| registry | seconds | of the permitted, after 10 s | refused after 10 s | refused at all |\n',
  );
  process.stdout.write('| --- | ---: | ---: | ---: | ---: |\n');
  const variants: [string, Partial<LiveOptions>][] = [
    ['caps unknown', {}],
    ['caps unknown, Retry-After: 1', { caps: { ...CAPS, retryAfterSeconds: 1 } }],
    ['caps known', { known: true }],
  ];
  for (const [name, more] of variants) {
    const { plan, startMs, endMs } = await live({ objects, caps: CAPS, ...more });
    const seconds = (endMs - startMs) / 1000;
    const settled = plan.manifests(startMs + 10_000, endMs);
    const refused = plan.counted.filter(({ accepted }) => !accepted).length;
    const share = settled.accepted / ((seconds - 10) * CAPS.manifests.perSecond);
    process.stdout.write(
      `| ${name} | ${seconds.toFixed(0)} | ${(share * 100).toFixed(1)} % | ${settled.refused} | ${refused} of ${plan.counted.length} |\n`,
    );
  }
}
