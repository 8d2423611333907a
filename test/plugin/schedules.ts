/** Random but valid conversations between a host and a plugin, and what comes of them. */
import { createHash } from 'node:crypto';
import type { ClientHttp2Stream } from 'node:http2';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Call, CallHandler, ServeHost } from '../../src/plugin/transport.ts';
import { answerOf, type NodeHost, nodeHost } from '../support/nodeHost.ts';
import { seededBytes } from '../support/seededBytes.ts';

export interface CallPlan {
  /** Sizes of what the host writes, in bytes. */
  readonly request: readonly number[];
  readonly hostTrailers: boolean;
  /** Sizes of what the plugin answers. */
  readonly answer: readonly number[];
  /** When the plugin answers: as soon as the call is there, when so many bytes have come, or when all have. */
  readonly answerAt: 'once' | 'some' | 'all';
  readonly status: 0 | 5 | 14;
  readonly message: string;
  /** The host cancels when it has sent all but the end, or when the answer begins; the plugin then never ends. */
  readonly cancel: 'never' | 'sent' | 'answered';
  /** The plugin credits in a later turn, and in two parts. */
  readonly lateCredit: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Schedule {
  readonly windowBytes: number;
  readonly maxFrameBytes: number;
  readonly headerTableBytes: number;
  /** A window that the host announces while calls are open. */
  readonly laterWindowBytes: number;
  readonly pings: number;
  readonly atOnce: boolean;
  readonly calls: readonly CallPlan[];
}

const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(20_000), fc.nat(300_000)), { maxLength: 4 });
const headerValue = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019 ;=/%~'), maxLength: 60 })
  .map((text) => text.trim());
const headerName = fc
  .string({ unit: fc.constantFrom(...'abc-_9'), minLength: 1, maxLength: 8 })
  .map((name) => `x-${name}`);

const callPlan: fc.Arbitrary<CallPlan> = fc.record({
  request: sizes,
  hostTrailers: fc.boolean(),
  answer: sizes,
  answerAt: fc.constantFrom('once', 'some', 'all', 'all'),
  status: fc.constantFrom(0, 5, 14),
  message: fc.string({ unit: 'grapheme', maxLength: 30 }),
  cancel: fc.constantFrom('never', 'never', 'never', 'sent', 'answered'),
  lateCredit: fc.boolean(),
  headers: fc.dictionary(headerName, headerValue, { maxKeys: 5 }),
});

export const schedule: fc.Arbitrary<Schedule> = fc.record({
  windowBytes: fc.oneof(
    fc.integer({ min: 500, max: 2000 }),
    fc.constant(65_535),
    fc.constant(8 * 1024 * 1024),
  ),
  maxFrameBytes: fc.constantFrom(16_384, 20_000, 100_000),
  headerTableBytes: fc.constantFrom(0, 100, 4096, 65_536),
  laterWindowBytes: fc.integer({ min: 1000, max: 200_000 }),
  pings: fc.nat(3),
  atOnce: fc.boolean(),
  calls: fc.array(callPlan, { minLength: 1, maxLength: 5 }),
});

/** Carries a schedule out and tells what both sides saw, without what timing decides. */
export async function carryOut(serve: ServeHost, plan: Schedule): Promise<unknown[]> {
  const seen = new Map<string, PluginSide>();
  const host = nodeHost(serve, pluginSide(plan, seen), {
    settings: {
      initialWindowSize: plan.windowBytes,
      maxFrameSize: plan.maxFrameBytes,
      headerTableSize: plan.headerTableBytes,
    },
  });
  const pings = Promise.all(Array.from({ length: plan.pings }, () => ping(host)));
  const outcomes: unknown[] = [];
  const run = async (index: number) => {
    outcomes[index] = await hostSide(host, index, plan.calls[index] as CallPlan, seen);
  };
  const indices = plan.calls.map((_call, index) => index);
  if (plan.atOnce) {
    const all = Promise.all(indices.map(run));
    host.session.settings({ initialWindowSize: plan.laterWindowBytes });
    await all;
  } else {
    for (const index of indices) await run(index);
  }
  await pings;
  await host.leave();
  return outcomes;
}

const ping = (host: NodeHost) =>
  new Promise<void>((resolve, reject) => {
    host.session.ping((error) => (error ? reject(error) : resolve()));
  });

async function hostSide(
  host: NodeHost,
  index: number,
  plan: CallPlan,
  seen: ReadonlyMap<string, PluginSide>,
): Promise<unknown> {
  const path = `/call/${index}`;
  const stream = host.call(path, plan.headers, plan.hostTrailers ? { 'x-sum': '1' } : undefined);
  if (plan.answerAt !== 'all') {
    // An answer that comes before the request is whole may stop it, which Node's client does not bear while it writes.
    stream.on('end', () => setImmediate(() => stream.destroy()));
  }
  if (plan.cancel === 'answered') stream.once('response', () => stream.close(8));
  const answer = answerOf(stream);
  for (const [at, size] of plan.request.entries()) await writeTo(stream, seededBytes(100 * index + at, size));
  if (plan.cancel === 'sent') {
    // The call is there when a PING comes back; before, cancelling it would be no matter of the plugin's.
    await ping(host);
    stream.close(8);
  } else stream.end();
  const { bytes, headers, code } = await answer;
  const plugin = await seen.get(path)?.over;
  if (plan.cancel !== 'never') return { plugin, cancelled: true };
  const { date: _date, ...kept } = headers;
  const early = plan.answerAt !== 'all';
  return { plugin, kept, answer: digest(bytes), length: bytes.length, code: early ? 'any' : code };
}

/** Writes, and goes on when it is stopped as well. */
function writeTo(stream: ClientHttp2Stream, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) {
      resolve();
      return;
    }
    stream.once('close', () => resolve());
    stream.write(bytes, () => resolve());
  });
}

/** What the plugin saw of a call, once it is over for it. */
interface PluginSide {
  readonly over: Promise<unknown>;
}

function pluginSide(plan: Schedule, seen: Map<string, PluginSide>): CallHandler {
  return (call) => {
    const callPlan = plan.calls[Number(call.path.split('/').at(-1))] as CallPlan;
    const over = serveCall(call, callPlan);
    seen.set(call.path, { over });
  };
}

function serveCall(call: Call, plan: CallPlan): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const hash = createHash('sha256');
  const some = plan.request.reduce((sum, size) => sum + size, 0) / 2;
  let received = 0;
  let answering = false;
  const facts = { path: call.path, headers: { ...call.headers } };
  call.signal.addEventListener('abort', () => resolve({ ...facts, aborted: call.signal.reason.code }));

  const answer = async (facts: unknown) => {
    if (answering) return;
    answering = true;
    for (const size of plan.answer) await call.write([seededBytes(size, size)]);
    if (plan.cancel !== 'never') {
      // The host waits for the head of an answer; a call without bytes has none.
      await call.write([Buffer.of(0)]);
      return;
    }
    call.end(plan.status, plan.message);
    resolve(facts);
  };
  call.receive({
    data(bytes) {
      hash.update(bytes);
      received += bytes.length;
      const { length } = bytes;
      if (plan.lateCredit) {
        call.credit(length >> 1);
        setImmediate(() => call.credit(length - (length >> 1)));
      } else call.credit(length);
      if (plan.answerAt === 'some' && received >= some) void answer(facts);
    },
    end: () =>
      void answer(plan.answerAt === 'all' ? { ...facts, received, hash: hash.digest('hex') } : facts),
  });
  if (plan.answerAt === 'once' || plan.cancel === 'answered') void answer(facts);
  return promise;
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** The part of an outcome that follows from the plan alone; both sides of a cancelled call must know of it. */
export function expectedOf(plan: CallPlan): unknown {
  if (plan.cancel !== 'never')
    return { cancelled: true, plugin: expect.objectContaining({ aborted: 'CANCELLED' }) };
  const bytes = Buffer.concat(plan.answer.map((size) => seededBytes(size, size)));
  const trailers: Record<string, string> = { 'grpc-status': String(plan.status) };
  return {
    answer: digest(bytes),
    length: bytes.length,
    kept: expect.objectContaining(trailers),
    plugin: expect.objectContaining({ headers: expect.objectContaining(plan.headers) }),
  };
}
