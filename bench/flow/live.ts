/** Small objects in real time, over real sockets, to the embedded registry while it enforces caps. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startRegistry } from '../../src/emulator/index.ts';
import type { RateCap } from '../../src/registry/profiles.ts';
import type { ClientOrder } from './liveClient.ts';
import { CapPlan, type LiveCap, type LiveCaps } from './liveRegistry.ts';

const CLIENT = fileURLToPath(new URL('./liveClient.ts', import.meta.url));

export interface LiveRun {
  readonly plan: CapPlan;
  /** The first request, and the last manifest that was accepted, on the clock of this process. */
  readonly startMs: number;
  readonly endMs: number;
  /** When the later cap came into force. */
  readonly laterMs: number | undefined;
  /** One of each client. */
  readonly repositories: readonly string[];
}

export interface LiveOptions {
  /** Of each client. */
  readonly objects: number;
  readonly caps: LiveCaps;
  /** Whether the clients are told the caps. */
  readonly known?: boolean;
  /** Each is a process of its own. */
  readonly clients?: number;
  /** Half-way, the cap on manifests becomes this one. */
  readonly later?: LiveCap;
  /** The clients begin nothing after so long, however many objects are left. */
  readonly seconds?: number;
}

/** Resolves when the client has done its work. */
async function runClient(order: ClientOrder): Promise<void> {
  const child = fork(CLIENT, [JSON.stringify(order)], { stdio: 'inherit' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  try {
    const [code, signal] = await once(child, 'exit');
    if (code !== 0) throw new Error(`a client ended with ${code ?? signal}`);
  } finally {
    process.off('exit', kill);
  }
}

export async function live(options: LiveOptions): Promise<LiveRun> {
  const { caps, later, objects, known, clients = 1, seconds } = options;
  const registry = await startRegistry();
  const plan = new CapPlan(caps);
  let accepted = 0;
  let laterMs: number | undefined;
  registry.setFaults({
    before: plan.before,
    answer: ({ method, route }, { status }) => {
      if (method === 'PUT' && route === 'manifest' && status === 201 && ++accepted === objects / 2 && later) {
        plan.setManifestCap(later);
        laterMs = performance.now();
      }
      return undefined;
    },
  });
  const documented: RateCap[] = [
    { kinds: ['manifest-write'], ...caps.manifests },
    { kinds: ['upload-start'], ...caps.sessions },
  ];
  const repositories = Array.from({ length: clients }, (_, client) => `live/client${client}`);
  try {
    await Promise.all(
      repositories.map((repository) =>
        runClient({
          location: `oci://${registry.address}/${repository}`,
          objects,
          untilMs: seconds === undefined ? undefined : seconds * 1000,
          caps: known ? documented : undefined,
        }),
      ),
    );
  } finally {
    await registry.close();
  }
  const startMs = plan.counted[0]?.ms ?? 0;
  const endMs = plan.counted.reduce((last, one) => (one.accepted ? Math.max(last, one.ms) : last), startMs);
  return { plan, startMs, endMs, laterMs, repositories };
}
