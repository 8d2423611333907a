/**
 * A trace read again from a modelled registry, as its host would: a read begins as long after the one that it
 * followed has ended as it did when it was recorded. Slow reads make the whole slow, and nothing else is assumed.
 */
import { createHash } from 'node:crypto';
import { EventClock } from '../../src/flow/eventClock.ts';
import { BlockCache, type CachedObject } from '../../src/store/reads/blockCache.ts';
import type { ReadPolicy } from '../../src/store/reads/readPolicy.ts';
import type { ReadStats } from '../../src/store/reads/readStats.ts';
import type { ReadTrace, TracedRead } from '../../src/store/reads/readTrace.ts';
import { type Link, ModelRegistry } from './modelRegistry.ts';

/** How far reads may run ahead of the order in which they were recorded: hosts queue their work. */
const SLACK_READS = 64;

/** A read with what it waits for. */
interface Step {
  readonly read: TracedRead;
  /** The read that it follows, by its index; -1 for the beginning. */
  readonly after: number;
  readonly thinkMs: number;
}

export interface ReplayResult {
  readonly seconds: number;
  /** Manifests and blobs. */
  readonly requests: number;
  readonly manifests: number;
  readonly fetchedBytes: number;
  readonly peakBytes: number;
  readonly stats: ReadStats;
}

/**
 * The reads of packfiles, each with the one that had ended last when it began. Which one it really waited for a trace
 * does not tell; the latest leaves the least time between the two that could be a wait for something else.
 *
 * @param thinkFactor what the time between two reads is multiplied with
 */
export function stepsOf(trace: ReadTrace, thinkFactor: number): Step[] {
  const reads = trace.reads.filter(({ type, length }) => type.endsWith('packfile') && length > 0);
  const ends = reads
    .map(({ startUs, durationUs }, index) => ({ index, endUs: startUs + durationUs }))
    .sort((a, b) => a.endUs - b.endUs);
  let latest = { index: -1, endUs: reads[0]?.startUs ?? 0 };
  let next = 0;
  return reads.map((read) => {
    for (let end = ends[next]; end && end.endUs <= read.startUs; end = ends[++next]) latest = end;
    return { read, after: latest.index, thinkMs: ((read.startUs - latest.endUs) / 1000) * thinkFactor };
  });
}

/** The time in which the host would be done if reads took none, in seconds. */
export function floorSeconds(steps: readonly Step[]): number {
  const ends: number[] = [];
  for (const { after, thinkMs } of steps) ends.push((ends[after] ?? 0) + thinkMs);
  return Math.max(0, ...ends) / 1000;
}

export async function replay(
  trace: ReadTrace,
  steps: readonly Step[],
  link: Link,
  policy: ReadPolicy,
  cacheBytes: number,
): Promise<ReplayResult> {
  const clock = new EventClock();
  const registry = new ModelRegistry(clock, link);
  const sizes = new Map(trace.objects.map(({ object, bytes }) => [object, bytes]));
  const cache = new BlockCache(policy, cacheBytes, (ref, range, signal) =>
    registry.blob(range?.length ?? sizes.get(numbers.get(ref.mac) ?? -1) ?? 0, signal),
  );
  const numbers = new Map<string, number>();
  const objects = new Map<number, Promise<CachedObject>>();
  const objectOf = (number: number) => {
    let found = objects.get(number);
    if (!found) {
      const mac = createHash('sha256').update(String(number)).digest('hex');
      numbers.set(mac, number);
      found = registry.manifest().then(() => cache.object({ type: 'packfile', mac }, sizes.get(number) ?? 0));
      objects.set(number, found);
    }
    return found;
  };

  const begun = gates(steps.length);
  const ended = gates(steps.length);
  const run = async (index: number): Promise<void> => {
    const { read, after, thinkMs } = steps[index] as Step;
    if (after >= 0) await ended.passed(after);
    await clock.sleep(thinkMs);
    if (index >= SLACK_READS) await begun.passed(index - SLACK_READS);
    begun.pass(index);
    const object = await objectOf(read.object);
    const { offset, length } = read;
    const content = cache.read(object, { offset, length }, undefined);
    if (!content.parts) for await (const _ of content.stream);
    ended.pass(index);
  };
  await clock.run(Promise.all(steps.map((_, index) => run(index))));
  const seconds = clock.now() / 1000;
  const { stats } = cache;
  return {
    seconds,
    requests: registry.manifestRequests + registry.blobRequests,
    manifests: registry.manifestRequests,
    fetchedBytes: stats.fetchedBytes,
    peakBytes: stats.peakBytes,
    stats,
  };
}

/** Gates that are passed once each, in any order. */
function gates(count: number): { pass(index: number): void; passed(index: number): Promise<void> } {
  const passed = new Uint8Array(count);
  const waiting = new Map<number, (() => void)[]>();
  return {
    pass(index) {
      passed[index] = 1;
      for (const resolve of waiting.get(index) ?? []) resolve();
      waiting.delete(index);
    },
    passed(index) {
      if (passed[index]) return Promise.resolve();
      return new Promise((resolve) => {
        const list = waiting.get(index) ?? [];
        list.push(resolve);
        waiting.set(index, list);
      });
    },
  };
}
