/** One row of the fault table on the stage: a registry that misbehaves, the real client, and what is there afterwards. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CountedPlan, type FaultCount, parseFaults } from '../../src/emulator/faults/index.ts';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { VirtualClock } from '../../src/flow/clock.ts';
import { buildManifest, EMPTY_CONFIG } from '../../src/store/manifest.ts';
import { tagOf } from '../../src/store/objectNames.ts';
import { type OciStoreOptions, type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { pushBlob, putManifest } from '../emulator/support.ts';
import { FAST_RETRY, KIB, MIB, refOf } from '../engine/rig.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

export const REPOSITORY = 'kloset/store';
export const LARGE = seededBytes(1, 6 * MIB);
export const HUGE = seededBytes(3, 24 * MIB);
export const SMALL = seededBytes(2, 300 * KIB);

/** What the rows of a file share: content on disk. */
export interface Props {
  readonly largeFile: string;
  readonly hugeFile: string;
  remove(): Promise<void>;
}

export async function makeProps(): Promise<Props> {
  const folder: Scratch = await scratch('faults');
  const largeFile = join(folder.path, 'large');
  const hugeFile = join(folder.path, 'huge');
  await writeFile(largeFile, LARGE);
  await writeFile(hugeFile, HUGE);
  return { largeFile, hugeFile, remove: () => folder.remove() };
}

/** Where a row plays. */
export interface Stage {
  readonly registry: RunningRegistry;
  readonly open: OpenOciStore;
  readonly clock: VirtualClock;
  readonly location: string;
  readonly props: Props;
  counts(): readonly FaultCount[];
  /** Puts the faults into force; their clock is the client's, so that no time passes but what it waits. */
  misbehave(specs: readonly string[]): void;
  /** The same store, for a client that knows nothing and a registry that behaves. */
  afterwards(): OpenOciStore;
  close(): Promise<void>;
}

export async function setStage(props: Props, options: OciStoreOptions): Promise<Stage> {
  const registry = await startRegistry();
  const clock = new VirtualClock();
  const location = `oci://${registry.address}/${REPOSITORY}`;
  const opened: OpenOciStore[] = [];
  const openAs = (more: OciStoreOptions) => {
    const open = openOciStore(location, { hasher: 'native', retry: FAST_RETRY, clock, ...more });
    opened.push(open);
    return open;
  };
  // The shared configuration blob is there, as in every repository that was used before: requests are the object's own.
  await pushBlob(registry, REPOSITORY, EMPTY_CONFIG.content);
  const open = openAs(options);
  let plan: CountedPlan | undefined;
  return {
    registry,
    open,
    clock,
    location,
    props,
    counts: () => plan?.counts() ?? [],
    misbehave(specs) {
      plan = parseFaults(specs, { nowMs: () => clock.now() });
      registry.resetRequestLog();
      registry.setFaults(plan);
    },
    afterwards() {
      registry.setFaults(undefined);
      return openAs({});
    },
    async close() {
      await Promise.all(opened.map((store) => store.close()));
      await registry.close();
    },
  };
}

/** An object that is there before anything goes wrong. */
export async function putBefore({ registry }: Stage, number: number, content: Uint8Array): Promise<void> {
  const digest = await pushBlob(registry, REPOSITORY, content);
  const manifest = buildManifest(refOf(number), [{ digest, bytes: content.length }], false);
  const { status } = await putManifest(registry, REPOSITORY, tagOf(refOf(number)), manifest);
  if (status !== 201) throw new Error(`the object could not be put: ${status}`);
}
