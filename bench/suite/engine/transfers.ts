/** Pushes and pulls: one cell is one situation, in which all contestants take turns. */
import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { summaryOf } from '../../../test/support/cli.ts';
import { runOk } from '../../../test/support/measured.ts';
import type { RealRegistry, RegistryName } from '../../../test/support/realRegistries.ts';
import { startRecorder } from '../../../test/support/recorder.ts';
import type { Workload } from '../../push/workload.ts';
import type { Collector } from '../collector.ts';
import { rotated } from '../rotated.ts';
import { type Command, type Contestant, filesIn } from './contestants.ts';
import type { Link, Stage } from './stage.ts';

export interface Cell extends Link {
  readonly task: 'push' | 'pull';
  readonly registry: RegistryName;
  readonly objectBytes: number;
  readonly objects: number;
  /** Absent: each program's own default. */
  readonly concurrency?: number | undefined;
  readonly contestants: readonly Contestant[];
}

export interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** Of ours alone: the others do not say. */
  readonly requests: number | undefined;
}

const repositoryOf = (one: Contestant) => `bench/${one.name}`;

/** Runs commands one after the other. */
async function runCommands(commands: readonly Command[], ours: boolean): Promise<Measured> {
  let [seconds, cpuSeconds, peakRssBytes] = [0, 0, 0];
  let requests: number | undefined;
  for (const { program, args, cwd } of commands) {
    const run = await runOk(program, args, { cwd });
    seconds += run.seconds;
    cpuSeconds += run.cpuSeconds;
    peakRssBytes = Math.max(peakRssBytes, run.peakRssBytes);
    if (ours) requests = Object.values(summaryOf(run.stdout).requests).reduce((sum, n) => sum + n, 0);
  }
  return { seconds, cpuSeconds, peakRssBytes, requests };
}

/** Pushes into a registry, and looks that the bytes are there. */
export async function pushOnce(
  one: Contestant,
  work: Workload,
  registry: RealRegistry,
  address: string,
  concurrency?: number,
): Promise<Measured> {
  const to = { address, repository: repositoryOf(one) };
  const measured = await runCommands(one.push(work, to, concurrency), one.ours);
  let stored = 0;
  for (const path of await filesIn(registry.folder)) stored += (await stat(path)).size;
  if (stored < work.bytes)
    throw new Error(`${one.name} stored ${stored} of ${work.bytes} bytes on ${registry.name}`);
  return measured;
}

async function pullOnce(
  one: Contestant,
  work: Workload,
  stage: Stage,
  address: string,
  concurrency?: number,
): Promise<Measured> {
  if (!one.pull) throw new Error(`${one.name} does not pull`);
  const folder = await stage.freshFolder();
  try {
    const from = { address, repository: repositoryOf(one) };
    const measured = await runCommands(one.pull(work, from, folder, concurrency), one.ours);
    await verify(one, work, folder);
    return measured;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Every file that was pushed has to be among those that came back, by its digest. */
async function verify(one: Contestant, work: Workload, folder: string): Promise<void> {
  const left = new Set(work.digests);
  for (const path of await filesIn(folder))
    left.delete(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  if (left.size > 0) throw new Error(`${one.name} pulled all but ${left.size} of ${work.names.length} files`);
}

/** Requests of a contestant that does not count them, by a proxy that does. */
async function countRequests(address: string, run: (address: string) => Promise<unknown>): Promise<number> {
  const recorder = await startRecorder(address);
  try {
    await run(recorder.address);
    return recorder.requests.length;
  } finally {
    await recorder.close();
  }
}

/** What a cell needs beside itself. */
export interface Run {
  readonly rounds: number;
  readonly stage: Stage;
  readonly collector: Collector;
  readonly log: (line: string) => void;
}

type Record = (one: Contestant, round: number, measured: Measured, counts: Map<string, number>) => void;

export async function measureCell(cell: Cell, run: Run): Promise<void> {
  const { task, registry, objectBytes, objects, roundTripMs, bandwidthBytesPerSecond, concurrency } = cell;
  const work = await run.stage.workload(objects, objectBytes);
  const record: Record = (one, round, { seconds, cpuSeconds, peakRssBytes, ...measured }, counts) => {
    const requests = measured.requests ?? counts.get(one.name);
    run.collector.add(
      {
        ...{ task, registry, contestant: one.name, objectBytes, objects, roundTripMs },
        ...(concurrency !== undefined && { concurrency }),
        ...(bandwidthBytesPerSecond !== undefined && { bandwidthBytesPerSecond }),
      },
      's',
      seconds,
      { cpuSeconds, peakRssBytes, ...(requests !== undefined && { requests }) },
    );
    run.log(`${nameOf(cell)}, round ${round + 1}/${run.rounds}, ${one.name}: ${seconds.toFixed(2)} s`);
  };
  await (task === 'push' ? pushCell : pullCell)(cell, work, run, record);
}

/** On a slow link they are the same, and take longer to count. */
const isLoopback = ({ roundTripMs, bandwidthBytesPerSecond }: Link) =>
  roundTripMs === 0 && bandwidthBytesPerSecond === undefined;

// Each push meets a freshly started registry with empty storage: zot links blobs that another repository holds, which
// would let the second contestant win without sending.
async function pushCell(cell: Cell, work: Workload, { stage, ...run }: Run, record: Record): Promise<void> {
  const { contestants, concurrency } = cell;
  const fresh = async <T>(job: (registry: RealRegistry) => Promise<T>) => {
    const registry = await stage.registry(cell.registry);
    try {
      return await job(registry);
    } finally {
      await registry.stop();
    }
  };
  const counts = new Map<string, number>();
  for (const one of contestants.filter(({ ours }) => !ours && isLoopback(cell)))
    counts.set(
      one.name,
      await fresh((registry) =>
        countRequests(registry.address, (address) => pushOnce(one, work, registry, address, concurrency)),
      ),
    );
  for (let round = 0; round < run.rounds; round++) {
    for (const one of rotated(contestants, round)) {
      const measured = await fresh((registry) =>
        stage.over(cell, registry.address, (address) => pushOnce(one, work, registry, address, concurrency)),
      );
      record(one, round, measured, counts);
    }
    // After each round, so that a run that is cut short leaves its figures.
    await run.collector.save();
  }
}

async function pullCell(cell: Cell, work: Workload, { stage, ...run }: Run, record: Record): Promise<void> {
  const { contestants, concurrency } = cell;
  const registry = await stage.registry(cell.registry);
  try {
    for (const one of contestants) {
      await pushOnce(one, work, registry, registry.address);
      const place = { address: registry.address, repository: repositoryOf(one) };
      await runCommands(one.complete?.(work, place) ?? [], false);
    }
    const counts = new Map<string, number>();
    for (const one of contestants.filter(({ ours }) => !ours && isLoopback(cell)))
      counts.set(
        one.name,
        await countRequests(registry.address, (address) => pullOnce(one, work, stage, address, concurrency)),
      );
    await stage.over(cell, registry.address, async (address) => {
      for (let round = 0; round < run.rounds; round++) {
        for (const one of rotated(contestants, round))
          record(one, round, await pullOnce(one, work, stage, address, concurrency), counts);
        await run.collector.save();
      }
    });
  } finally {
    await registry.stop();
  }
}

function nameOf({ task, registry, objects, objectBytes, roundTripMs, ...cell }: Cell): string {
  const size =
    objectBytes < 2 ** 20 ? `${objectBytes / 1024} KiB` : `${Math.round(objectBytes / 2 ** 20)} MiB`;
  const extra = [
    ...(roundTripMs > 0 ? [`${roundTripMs} ms`] : []),
    ...(cell.bandwidthBytesPerSecond ? [`${cell.bandwidthBytesPerSecond / 2 ** 20} MiB/s`] : []),
    ...(cell.concurrency ? [`${cell.concurrency} at once`] : []),
  ];
  return [task, registry, `${objects} × ${size}`, ...extra].join(', ');
}
