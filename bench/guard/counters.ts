/**
 * Counts what the main thread does with bytes, by standing before the calls that copy, allocate and hash: counts are
 * the same on every machine, where times are not. Loaded before the product (`node --import`).
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** Below it lie headers, names and manifests, which are copied by the dozen and cost nothing. */
const PAYLOAD_BYTES = 4096;

export interface ByteCounts {
  /** Bytes that were copied from one buffer to another, in copies of more than 4 KiB. */
  readonly copied: number;
  /** Bytes of new buffers, of more than 4 KiB each. */
  readonly allocated: number;
  /** Bytes that were hashed by this thread, in pieces of more than 4 KiB. */
  readonly hashed: number;
  /** Characters of JSON that were parsed, in texts of more than 4 KiB. */
  readonly parsed: number;
  /** Files that were opened. */
  readonly opened: number;
}

const counts = { copied: 0, allocated: 0, hashed: 0, parsed: 0, opened: 0 };

/** What was counted since the last call. */
export function takeCounts(): ByteCounts {
  const taken = { ...counts };
  counts.copied = counts.allocated = counts.hashed = counts.parsed = counts.opened = 0;
  return taken;
}

function count(kind: keyof typeof counts, bytes: unknown): void {
  if (typeof bytes === 'number' && bytes > PAYLOAD_BYTES) counts[kind] += bytes;
}

type Method = (this: unknown, ...args: never[]) => unknown;

/** Puts a look at the arguments and the result before a method. */
function watch(owner: object, name: string, look: (self: unknown, args: unknown[], result: unknown) => void) {
  const inner = Reflect.get(owner, name) as Method;
  const watched = function (this: unknown, ...args: never[]) {
    const result = inner.apply(this, args);
    look(this, args, result);
    return result;
  };
  Object.defineProperty(owner, name, { value: watched, configurable: true, writable: true });
}

const lengthOf = (value: unknown) => (ArrayBuffer.isView(value) ? value.byteLength : 0);
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

watch(typedArray, 'set', (_, [from]) => count('copied', lengthOf(from)));
watch(typedArray, 'slice', (_, __, result) => {
  count('copied', lengthOf(result));
  count('allocated', lengthOf(result));
});
watch(Buffer.prototype, 'copy', (_, __, result) => count('copied', result));
watch(Buffer, 'concat', (_, __, result) => {
  count('copied', lengthOf(result));
  count('allocated', lengthOf(result));
});
watch(Buffer, 'from', (_, [from], result) => {
  // Of a view it is a copy, of an ArrayBuffer a window.
  if (!ArrayBuffer.isView(from)) return;
  count('copied', lengthOf(result));
  count('allocated', lengthOf(result));
});
watch(Uint8Array, 'from', (_, __, result) => {
  count('copied', lengthOf(result));
  count('allocated', lengthOf(result));
});
for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'])
  watch(Buffer, name, (_, __, result) => count('allocated', lengthOf(result)));

const updates = Object.getPrototypeOf(crypto.createHash('sha256')) as object;
watch(updates, 'update', (_, [data]) => count('hashed', lengthOf(data)));
for (const [owner, name] of [
  [promises, 'open'],
  [fs, 'open'],
  [fs, 'openSync'],
] as const)
  watch(owner, name, (_, [path]) => {
    // Node reads modules through it, those that are loaded late in the middle of a scenario.
    if (!/\.[cm]?[jt]s(on)?$/.test(String(path))) counts.opened++;
  });
watch(crypto, 'hash', (_, [, data]) => count('hashed', lengthOf(data)));

watch(JSON, 'parse', (_, [text]) => count('parsed', (text as string).length));

// `new Uint8Array(bytes)` and `new Uint8Array(view)`: the constructor itself.
const inner = globalThis.Uint8Array;
globalThis.Uint8Array = new Proxy(inner, {
  construct(target, args, newTarget) {
    const result = Reflect.construct(target, args, newTarget) as object;
    const [first] = args as unknown[];
    if (typeof first === 'number') count('allocated', first);
    else if (ArrayBuffer.isView(first)) {
      count('copied', lengthOf(result));
      count('allocated', lengthOf(result));
    }
    return result;
  },
});
syncBuiltinESMExports();
