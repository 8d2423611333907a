/** The process of soak.ts: operations of all kinds at once, until the time is over. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { openBackend } from '../../src/plugin/backend.ts';
import { type OptionName, readSettings } from '../../src/store/storeSettings.ts';
import { seededRandom } from './killedPushes.ts';
import { seededBytes } from './seededBytes.ts';
import type { MemorySample, SoakOptions, SoakReport } from './soak.ts';

const KIB = 1024;
const WORKERS = 8;
const CONTENTS = 96;
/** Objects that are kept: above it one is deleted for each that is put. */
const KEPT = 250;

type Kind = 'packfile' | 'state';
interface Kept {
  readonly type: Kind;
  readonly content: number;
}

const { location, seconds, seed, sampleMs, more } = JSON.parse(process.argv[2] ?? '') as SoakOptions;
// A small cache is full and a small arena touched within seconds: what grows afterwards grows without a bound.
const options: Partial<Record<OptionName, string>> = { cache_size: '8MiB', memory: '128MiB', ...more };
const settings = readSettings(
  (name) => options[name],
  () => undefined,
);
const remarks: string[] = [];
const backend = openBackend(location, settings, (remark) => remarks.push(remark));
const { store } = backend;
const random = seededRandom(seed);
const pick = (bound: number) => Math.floor(random() * bound);

// From 1 KiB to 4 MiB, as many of each order of magnitude: few enough to stay in the registry's folder once each.
const contents = Array.from({ length: CONTENTS }, (_, index) => {
  const bytes = seededBytes(seed + index, Math.floor(KIB * 4096 ** random()));
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
});
const contentOf = (index: number) => contents[index] as (typeof contents)[number];

const kept = new Map<string, Kept>();
const operations: Record<string, number> = {};
const failures: string[] = [];
let named = 0;
let bytesPut = 0;
let bytesGot = 0;

const newMac = () => createHash('sha256').update(`${seed} ${named++}`).digest('hex');

/** Takes an object out of what others may choose, for as long as something is done with it. */
function take(): [mac: string, Kept] | undefined {
  const chosen = [...kept][pick(kept.size)];
  if (chosen) kept.delete(chosen[0]);
  return chosen;
}

async function put(type: Kind, mac = newMac(), content = pick(CONTENTS)): Promise<void> {
  const { bytes } = contentOf(content);
  const object = backend.receive();
  for (let sent = 0; sent < bytes.length; ) {
    if (object.roomBytes === 0) await object.grow();
    const part = bytes.subarray(sent, sent + Math.min(object.roomBytes, 64 * KIB));
    object.write(part);
    sent += part.length;
  }
  await store.put({ type, mac }, object.finish(mac));
  bytesPut += bytes.length;
  kept.set(mac, { type, content });
}

async function get(whole: boolean): Promise<void> {
  const chosen = take();
  if (!chosen) return;
  const [mac, { type, content }] = chosen;
  const { bytes } = contentOf(content);
  const offset = whole ? 0 : pick(bytes.length);
  const length = whole ? bytes.length : 1 + pick(Math.min(256 * KIB, bytes.length - offset));
  const read = await store.get({ type, mac }, whole ? {} : { range: { offset, length } });
  let at = offset;
  for await (const chunk of read.parts ?? read.stream) {
    if (!bytes.subarray(at, at + chunk.length).equals(chunk))
      failures.push(`${type} ${mac} differs in ${chunk.length} bytes from ${at} on`);
    at += chunk.length;
  }
  if (at !== offset + length) failures.push(`${type} ${mac} ended at ${at}, not at ${offset + length}`);
  bytesGot += length;
  kept.set(mac, chosen[1]);
}

async function remove(): Promise<void> {
  const chosen = take();
  if (chosen) await store.delete({ type: chosen[1].type, mac: chosen[0] });
}

async function list(type: Kind): Promise<void> {
  const before = [...kept].filter(([, object]) => object.type === type).map(([mac]) => mac);
  const listed = new Set<string>();
  for await (const mac of store.list(type)) listed.add(mac);
  // One that somebody has in hand may be about to go.
  for (const mac of before)
    if (kept.has(mac) && !listed.has(mac)) failures.push(`${type} ${mac} is not in the list`);
}

/** As a host does with its lock: written, written again, gone. */
async function lock(): Promise<void> {
  const mac = newMac();
  for (let i = 0; i < 2; i++) {
    const object = backend.receive();
    object.write(Buffer.from(`lock ${mac} ${i}`));
    await store.put({ type: 'lock', mac }, object.finish(mac));
  }
  await store.delete({ type: 'lock', mac });
}

/** Of a hundred operations, so many are of this kind. */
const SHARES: readonly [name: string, share: number, run: () => Promise<void>][] = [
  ['put packfile', 28, () => put('packfile')],
  ['put state', 2, () => put('state')],
  ['get range', 40, () => get(false)],
  ['get whole', 6, () => get(true)],
  ['delete', 20, () => (kept.size > KEPT / 2 ? remove() : get(false))],
  ['list', 2, () => list(random() < 0.5 ? 'packfile' : 'state')],
  ['lock', 2, lock],
];

function choose(): [name: string, run: () => Promise<void>] {
  let dice = random() * 100;
  for (const [name, share, run] of SHARES) {
    dice -= share;
    if (dice < 0) return [name, run];
  }
  return ['lock', lock];
}

async function work(untilMs: number): Promise<void> {
  while (performance.now() < untilMs) {
    const [name, run] = kept.size > KEPT ? (['delete', remove] as const) : choose();
    try {
      await run();
      operations[name] = (operations[name] ?? 0) + 1;
    } catch (error) {
      failures.push(`${name}: ${error}`);
    }
  }
}

async function sample(untilMs: number): Promise<MemorySample[]> {
  const samples: MemorySample[] = [];
  while (performance.now() < untilMs) {
    await delay(sampleMs);
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    samples.push({ heap: heapUsed + external, rss });
  }
  return samples;
}

const untilMs = performance.now() + seconds * 1000;
const [samples] = await Promise.all([
  sample(untilMs),
  ...Array.from({ length: WORKERS }, () => work(untilMs)),
]);
await backend.close();
const report: SoakReport = {
  samples,
  operations,
  failures,
  remarks,
  objects: [...kept].map(([mac, { type, content }]) => {
    const { bytes, sha256 } = contentOf(content);
    return { type, mac, bytes: bytes.length, sha256 };
  }),
  bytesPut,
  bytesGot,
};
process.send?.(report);
// From here on only what was left open keeps the process.
await once(process, 'disconnect');
