/** Runs against an embedded registry that notes what is written to it. */
import { expect } from 'vitest';
import {
  type FaultPlan,
  type RegistryOptions,
  type RunningRegistry,
  startRegistry,
} from '../../../src/emulator/index.ts';
import { type BenchEvent, type BenchOptions, bench, planFor } from '../../../src/store/bench/run.ts';
import type { OciStoreOptions } from '../../../src/store/openStore.ts';
import { FAST_RETRY, MIB } from '../../engine/rig.ts';
import { tagsOf } from '../../support/registryState.ts';

export const REPOSITORY = 'kloset/store';
/** Small objects, and nothing longer. */
export const SMALL = { maxRequests: 700, maxBytes: 8 * MIB, maxSeconds: 60 };

/** What is left where nothing is. */
export const NOTHING = { tags: [], blobs: [], sessions: 0 };

export interface BenchRig {
  readonly registry: RunningRegistry;
  /** Has the registry misbehave. */
  play(plan: FaultPlan): void;
  run(
    options?: Partial<BenchOptions>,
    store?: OciStoreOptions,
  ): {
    readonly ended: ReturnType<typeof bench>;
    readonly events: readonly BenchEvent[];
    readonly plan: ReturnType<typeof planFor>;
  };
  /** What the registry still has of all that was written, asked by HTTP; it keeps to the rules from then on. */
  remains(): Promise<{ tags: string[]; blobs: string[]; sessions: number }>;
}

export async function startRig(options: RegistryOptions = {}): Promise<BenchRig> {
  const registry = await startRegistry(options);
  // From the registry's side: every repository that was written to, and every blob that was committed.
  const repositories = new Set<string>();
  const blobs = new Set<string>();
  const play = (plan: FaultPlan) =>
    registry.setFaults({
      ...plan,
      before: (exchange) => {
        const { method, query, repository = '' } = exchange;
        const digest = query.get('digest');
        if (method === 'POST' || method === 'PUT') repositories.add(repository);
        if (digest && method !== 'GET') blobs.add(`${repository}/blobs/${digest}`);
        return plan.before?.(exchange);
      },
    });
  play({});
  return {
    registry,
    play,
    run: (given = {}, store = {}) => {
      const events: BenchEvent[] = [];
      const { bounds = SMALL } = given;
      const onEvent = (event: BenchEvent) => {
        events.push(event);
        given.onEvent?.(event);
      };
      const settings = { retry: FAST_RETRY, ...store };
      const location = `oci://${registry.address}/${REPOSITORY}`;
      const ended = bench(location, settings, { seed: 'benchRig', ...given, bounds, onEvent });
      return { ended, events, plan: planFor(settings, bounds) };
    },
    remains: async () => {
      const sessions = registry.openSessions().length;
      registry.setFaults(undefined);
      expect(blobs.size).toBeGreaterThan(0);
      const tags: string[] = [];
      for (const repository of repositories) tags.push(...(await tagsOf(registry.address, repository)));
      const there: string[] = [];
      for (const blob of blobs) {
        const { status } = await fetch(`${registry.url}/v2/${blob}`, { method: 'HEAD' });
        if (status !== 404) there.push(blob);
      }
      return { tags, blobs: there, sessions };
    },
  };
}
