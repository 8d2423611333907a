/** A store against an embedded registry that misbehaves on demand, with the requests of each step counted. */
import { createHash } from 'node:crypto';
import {
  type AnswerHead,
  type Exchange,
  type FaultAction,
  type FaultPlan,
  type RunningRegistry,
  startRegistry,
} from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import type { HostMemory } from '../../src/engine/hostMemory.ts';
import type { ByteSource } from '../../src/engine/source.ts';
import { VirtualClock } from '../../src/flow/clock.ts';
import type { RetryPolicy } from '../../src/flow/retry.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { type ObjectRef, objectRef } from '../../src/store/objectNames.ts';
import { type OciStoreOptions, type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { seededBytes } from '../support/seededBytes.ts';

export const KIB = 1024;
export const MIB = 1024 * KIB;
const REPOSITORY = 'kloset/store';
export const FAST_RETRY: RetryPolicy = {
  maxAttempts: 4,
  baseDelayMs: 1,
  throttledDelayMs: 1,
  maxDelayMs: 10,
  maxRetryAfterMs: 60_000,
};

export interface Rig {
  readonly registry: RunningRegistry;
  readonly open: OpenOciStore;
  readonly clock: VirtualClock;
  readonly host: HostMemory;
  /** Requests by kind since the last call, or since the rig was ready. */
  spent(): Record<string, number>;
  /** Puts an object of its own under a MAC that follows from the number. */
  put(number: number, content: Uint8Array | ByteSource): Promise<void>;
  /** The object, read back whole. */
  read(number: number): Promise<Buffer>;
  close(): Promise<void>;
}

/**
 * An open store that knows its tags and has its configuration blob, so that only a put's own requests count.
 *
 * @param asKnown leaves it to the profile whether the host takes a blob with the first request
 */
export async function startRig(options: OciStoreOptions = {}, asKnown = false): Promise<Rig> {
  const registry = await startRegistry();
  const clock = new VirtualClock();
  const location = `oci://${registry.address}/${REPOSITORY}`;
  const open = openOciStore(location, { retry: FAST_RETRY, clock, hasher: 'native', ...options });
  const host = open.coordinator.host(parseReference(location).origin);
  // Most hosts do not take a blob with the first request; a test that wants it says so.
  if (!asKnown) host.singlePost = false;
  await open.store.put(refOf(0), bufferSource(seededBytes(0, 10), 'primer'));
  await open.store.primeTags();
  registry.resetRequestLog();
  let before: Partial<Record<string, number>> = open.stats().requests;
  return {
    registry,
    open,
    clock,
    host,
    spent: () => {
      const now: Partial<Record<string, number>> = open.stats().requests;
      const delta = Object.keys(now).map((kind) => [kind, (now[kind] ?? 0) - (before[kind] ?? 0)] as const);
      before = now;
      return Object.fromEntries(delta.filter(([, count]) => count > 0));
    },
    put: async (number, content) => {
      const source = content instanceof Uint8Array ? bufferSource(content, `object ${number}`) : content;
      await open.store.put(refOf(number), source);
    },
    read: async (number) => collect((await open.store.get(refOf(number))).stream),
    close: async () => {
      await open.close();
      await registry.close();
    },
  };
}

export function refOf(number: number): ObjectRef {
  return objectRef('packfile', createHash('sha256').update(`object ${number}`).digest('hex'));
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** A stream of pieces of one length; what it yields is overwritten afterwards, as pooled buffers are. */
export async function* pieces(content: Uint8Array, length = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += length) {
    const piece = Uint8Array.from(content.subarray(at, at + length));
    yield piece;
    piece.fill(0xee);
  }
}

export const isPatch = ({ method, route }: Exchange) => method === 'PATCH' && route === 'upload-session';
export const isCommit = ({ method, route }: Exchange) => method === 'PUT' && route === 'upload-session';
export const isStatus = ({ method, route }: Exchange) => method === 'GET' && route === 'upload-session';
export const isStart = ({ method, route }: Exchange) => method === 'POST' && route === 'upload-start';

/** Acts on the exchanges of a kind with the given ordinals, or on all of them. */
export function on(
  kind: (exchange: Exchange) => boolean,
  action: FaultAction,
  ordinals?: readonly number[],
): NonNullable<FaultPlan['before']> {
  return (exchange) =>
    kind(exchange) && (ordinals?.includes(exchange.ordinal) ?? true) ? action : undefined;
}

/** The first of several hooks that has something to do. */
export function firstOf(...hooks: readonly FaultPlan['before'][]): NonNullable<FaultPlan['before']> {
  return (exchange) => {
    for (const hook of hooks) {
      const action = hook?.(exchange);
      if (action) return action;
    }
    return undefined;
  };
}

export function refuse(status: number, code?: string, message = ''): FaultAction {
  const body = code === undefined ? message : JSON.stringify({ errors: [{ code, message }] });
  return { kind: 'respond', status, body };
}

/** The answer with other headers; an empty value leaves a header out. */
export function withHeaders(answer: AnswerHead, headers: Record<string, string>): AnswerHead {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const merged: Record<string, string> = { ...answer.headers, ...Object.fromEntries(lower) };
  for (const [name, value] of Object.entries(merged)) if (value === '') delete merged[name];
  return { ...answer, headers: merged };
}

/** Another store at the same place, which knows nothing yet. */
export function reopen(rig: Rig): OpenOciStore {
  return openOciStore(`oci://${rig.registry.address}/${REPOSITORY}`, { hasher: 'native', retry: FAST_RETRY });
}
