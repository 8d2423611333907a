/** A tree, a registry, and the contestants' stores with one backup of the tree in each. */
import { join } from 'node:path';
import { type RealRegistry, startDockerRegistry } from '../../test/support/realRegistries.ts';
import { type Scratch, scratch } from '../../test/support/scratch.ts';
import type { Toxiproxy } from '../../test/support/toxiproxy.ts';
import { mixedTree, type TraceTree } from '../traces/trees.ts';
import { type Contestant, type ContestantName, openContestant } from './contestants.ts';
import { openRestic, type Restic } from './restic.ts';

const KEPT = 'kept';
const GO_ATTEMPTS = 4;

export interface Stage {
  readonly tree: TraceTree;
  readonly mebibytes: number;
  readonly folder: string;
  /** The folder with the tree. */
  readonly root: string;
  readonly registry: RealRegistry;
  /** The registry behind the round trip. */
  readonly slowAddress: string;
  readonly contestants: readonly Contestant[];
  /** With a backup of the tree, and behind the same round trip. */
  readonly restic: { readonly tool: Restic; readonly slowAddress: string } | undefined;
  /** The store with the backup. */
  readonly kept: typeof KEPT;
  /** The snapshot of each contestant in it. */
  readonly snapshots: ReadonlyMap<ContestantName, string>;
  close(): Promise<void>;
}

export interface StageOptions {
  parent: string;
  mebibytes: number;
  roundTripMs: number;
  contestants: readonly ContestantName[];
  /** Whether restic does the same job beside them, where it is on this machine. */
  restic: boolean;
  toxiproxy: Toxiproxy;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const { parent, mebibytes, toxiproxy } = options;
  const home: Scratch = await scratch(`bench-${mebibytes}`, parent);
  const tree = mixedTree(`${mebibytes} MiB`, mebibytes);
  const root = join(home.path, 'tree');
  await tree.write(root);
  const registry = await startDockerRegistry({ parent });
  const slow = await toxiproxy.proxy(registry.address, { roundTripMs: options.roundTripMs });
  const contestants: Contestant[] = [];
  const snapshots = new Map<ContestantName, string>();
  for (const name of options.contestants) {
    const one = await openContestant(name, home.path);
    contestants.push(one);
    const store = one.location(KEPT, registry.address);
    await one.plakar.create(store, { encrypted: true });
    await backup(one, store, root);
    snapshots.set(name, (await one.plakar.ls(store))[0] ?? '');
  }
  const restic = options.restic ? await openRestic(home.path) : undefined;
  if (restic) {
    await restic.create(KEPT);
    await restic.backup(KEPT, restic.address, root);
  }
  const slowRestic = restic && (await toxiproxy.proxy(restic.address, { roundTripMs: options.roundTripMs }));
  return {
    tree,
    mebibytes,
    restic: restic && slowRestic && { tool: restic, slowAddress: slowRestic.address },
    folder: home.path,
    root,
    registry,
    slowAddress: slow.address,
    contestants,
    kept: KEPT,
    snapshots,
    close: async () => {
      for (const one of contestants) await one.plakar.close();
      await slowRestic?.close();
      await restic?.close();
      await slow.close();
      await registry.stop();
      await home.remove();
    },
  };
}

/**
 * A backup; returns its seconds. The Go connector's fail now and then on this registry, where it uploads the same two
 * bytes for two objects at once: those are done again, and only a whole one is timed.
 */
export async function backup(one: Contestant, store: string, root: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await one.plakar.run('at', store, 'backup', root)).seconds;
    } catch (error) {
      if (one.name !== 'go' || attempt === GO_ATTEMPTS) throw error;
      console.error(
        `a backup of the Go connector failed and is done again: ${String(error).split('\n').at(-1)}`,
      );
    }
  }
}
