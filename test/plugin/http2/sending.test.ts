import { describe, expect, it } from 'vitest';
import { type Call, GRPC_STATUS } from '../../../src/plugin/transport.ts';
import { END_STREAM, frame, type RawFrame, request, settings, TYPE, u32 } from '../../support/h2Frames.ts';
import { ConnectionRig } from './connectionRig.ts';

const MIB = 1024 * 1024;
const INITIAL_WINDOW_SIZE = 4;
const MAX_FRAME_SIZE = 5;
const LARGEST_WINDOW = 2 ** 31 - 1;

const windowUpdate = (streamId: number, bytes: number) => frame(TYPE.WINDOW_UPDATE, 0, streamId, u32(bytes));
const opened = windowUpdate(0, LARGEST_WINDOW - 65_535);

/** A connection with whole requests on streams 1, 3, …, all unanswered. */
function rig(count: number, hostSettings: [number, number][] = []) {
  const calls: Call[] = [];
  const host = new ConnectionRig((call) => calls.push(call), hostSettings);
  for (let index = 0; index < count; index++) host.send(request(2 * index + 1, END_STREAM));
  return { host, calls: calls as [Call, Call, ...Call[]] };
}

const ends = (one: RawFrame) => one.type === TYPE.HEADERS && (one.flags & END_STREAM) !== 0;

describe('windows of the host', () => {
  it('are never overrun by a call, and used to the last byte', async () => {
    const { host, calls } = rig(1, [[INITIAL_WINDOW_SIZE, 1000]]);
    calls[0].write([Buffer.alloc(5000, 1)]);
    calls[0].end(GRPC_STATUS.OK);
    await host.quiet();
    expect(host.dataBytes(1)).toBe(1000);
    host.send(windowUpdate(1, 1));
    await host.quiet();
    expect(host.dataBytes(1)).toBe(1001);
    expect(host.frames.some(ends)).toBe(false);
    host.send(windowUpdate(1, 3999));
    await host.quiet();
    expect(host.dataBytes(1)).toBe(5000);
    expect(host.frames.filter(ends)).toHaveLength(1);
  });

  it('are never overrun by all calls together', async () => {
    const { host, calls } = rig(2, [[INITIAL_WINDOW_SIZE, MIB]]);
    for (const call of calls) call.write([Buffer.alloc(100_000)]);
    await host.quiet();
    expect(host.dataBytes()).toBe(65_535);
    host.send(windowUpdate(0, 10));
    await host.quiet();
    expect(host.dataBytes()).toBe(65_545);
    host.send(windowUpdate(0, MIB));
    await host.quiet();
    expect(host.dataBytes()).toBe(200_000);
  });

  it('change for open calls with the settings, also below zero', async () => {
    const { host, calls } = rig(1, [[INITIAL_WINDOW_SIZE, 1000]]);
    calls[0].write([Buffer.alloc(5000)]);
    await host.quiet();
    host.send(settings([INITIAL_WINDOW_SIZE, 400]), windowUpdate(1, 600));
    await host.quiet();
    expect(host.dataBytes()).toBe(1000);
    host.send(windowUpdate(1, 5));
    await host.quiet();
    expect(host.dataBytes()).toBe(1005);
    host.send(settings([INITIAL_WINDOW_SIZE, 10_000]));
    await host.quiet();
    expect(host.dataBytes()).toBe(5000);
  });

  it('hold back one call and no other', async () => {
    const { host, calls } = rig(2, [[INITIAL_WINDOW_SIZE, 0]]);
    host.send(opened);
    calls[0].write([Buffer.alloc(4 * MIB)]);
    calls[1].write([Buffer.alloc(300_000)]);
    calls[1].end(GRPC_STATUS.OK);
    host.send(windowUpdate(3, MIB));
    await host.quiet();
    expect(host.dataBytes(1)).toBe(0);
    expect(host.dataBytes(3)).toBe(300_000);
    expect(host.frames.filter(ends).map((one) => one.streamId)).toEqual([3]);
  });

  it('do not hold back headers and trailers', async () => {
    const { host, calls } = rig(2, [[INITIAL_WINDOW_SIZE, 0]]);
    calls[0].write([Buffer.from('x')]);
    calls[1].end(GRPC_STATUS.NOT_FOUND, 'nothing there');
    await host.quiet();
    const headers = host.frames.filter((one) => one.type === TYPE.HEADERS);
    expect(headers.map((one) => [one.streamId, ends(one)])).toEqual([
      [1, false],
      [3, true],
    ]);
  });

  it('allow frames of the announced size, and none larger than 64 KiB', async () => {
    const { host, calls } = rig(1, [[INITIAL_WINDOW_SIZE, 4 * MIB]]);
    host.send(opened);
    const largest = () => Math.max(...host.data().map((one) => one.payload.length));
    calls[0].write([Buffer.alloc(MIB)]);
    await host.quiet();
    expect(largest()).toBe(16_384);
    host.send(settings([MAX_FRAME_SIZE, 20_000]));
    calls[0].write([Buffer.alloc(MIB)]);
    await host.quiet();
    expect(largest()).toBe(20_000);
    host.send(settings([MAX_FRAME_SIZE, 2 ** 24 - 1]));
    calls[0].write([Buffer.alloc(MIB)]);
    await host.quiet();
    expect(largest()).toBe(65_536);
  });
});

describe('fairness', () => {
  it('sends in turns: no call is ever more than a frame ahead of another', async () => {
    const { host, calls } = rig(4, [[INITIAL_WINDOW_SIZE, 2 * MIB]]);
    host.send(opened);
    for (const call of calls) {
      call.write([Buffer.alloc(5), Buffer.alloc(MIB)]);
      call.end(GRPC_STATUS.OK);
    }
    await host.quiet();
    const sent = new Map([1, 3, 5, 7].map((stream) => [stream, 0]));
    for (const { streamId, payload } of host.data()) {
      sent.set(streamId, (sent.get(streamId) ?? 0) + payload.length);
      expect(Math.max(...sent.values()) - Math.min(...sent.values())).toBeLessThanOrEqual(16_384);
    }
    expect([...sent.values()]).toEqual([MIB + 5, MIB + 5, MIB + 5, MIB + 5]);
  });

  it('lets a short answer, a PING and a window pass a long one', async () => {
    const { host, calls } = rig(2, [[INITIAL_WINDOW_SIZE, 64 * MIB]]);
    host.send(opened);
    calls[0].write([Buffer.alloc(32 * MIB)]);
    await host.turn();
    const before = host.dataBytes(1);
    calls[1].write([Buffer.from('short')]);
    calls[1].end(GRPC_STATUS.OK);
    host.send(frame(TYPE.PING, 0, 0, u32(1, 2)));
    await host.quiet();
    const bytesBefore = (fits: (one: RawFrame) => boolean) =>
      host.frames
        .slice(0, host.frames.findIndex(fits))
        .filter((one) => one.type === TYPE.DATA && one.streamId === 1)
        .reduce((sum, one) => sum + one.payload.length, 0);
    expect(before).toBeGreaterThan(0);
    // The batch that was under way, and a turn.
    const patience = before + 256 * 1024 + 2 * 16_384;
    expect(bytesBefore((one) => one.streamId === 3 && ends(one))).toBeLessThanOrEqual(patience);
    expect(bytesBefore((one) => one.type === TYPE.PING)).toBeLessThanOrEqual(patience);
    expect(host.dataBytes(1)).toBe(32 * MIB);
  });
});

describe('room for writers', () => {
  const chunk = Buffer.alloc(64 * 1024);

  /** Writes until there is no room; gives the bytes that were taken. */
  function fill(call: Call): { bytes: number; room: Promise<void> } {
    for (let bytes = chunk.length; ; bytes += chunk.length) {
      const room = call.write([chunk]);
      if (room) return { bytes, room };
    }
  }

  it('is 2 MiB for one, and shared by several', async () => {
    const one = rig(1);
    expect(fill(one.calls[0]).bytes).toBe(2 * MIB + chunk.length);
    const eight = rig(8);
    for (const call of eight.calls) call.write([chunk]);
    for (const call of eight.calls) expect(fill(call).bytes).toBe(MIB / 4);
  });

  it('is whole again for one when the others have no more to send', async () => {
    const { host, calls } = rig(8, [[INITIAL_WINDOW_SIZE, 4 * MIB]]);
    host.send(opened);
    for (const call of calls) call.write([chunk]);
    await host.quiet();
    expect(fill(calls[0]).bytes).toBe(2 * MIB + chunk.length);
  });

  it('comes back when half of the share has left', async () => {
    const { host, calls } = rig(1, [[INITIAL_WINDOW_SIZE, 0]]);
    host.send(opened);
    let resolved = false;
    void fill(calls[0]).room.then(() => {
      resolved = true;
    });
    host.send(windowUpdate(1, MIB));
    await host.quiet();
    expect(resolved).toBe(false);
    host.send(windowUpdate(1, chunk.length));
    await host.quiet();
    expect(resolved).toBe(true);
  });

  it('is not taken from others by a call that cannot send', async () => {
    const { host, calls } = rig(2, [[INITIAL_WINDOW_SIZE, 0]]);
    host.send(opened, windowUpdate(3, 64 * MIB));
    fill(calls[0]);
    let written = 0;
    for (; written < 16 * MIB; written += chunk.length) await calls[1].write([chunk]);
    await host.quiet();
    expect(host.dataBytes(3)).toBe(16 * MIB);
  });

  it('is bounded while the host does not read', async () => {
    const { host, calls } = rig(1, [[INITIAL_WINDOW_SIZE, LARGEST_WINDOW]]);
    host.send(opened);
    host.reading = false;
    await host.turn();
    const { bytes } = fill(calls[0]);
    await host.quiet();
    expect(bytes).toBe(2 * MIB + chunk.length);
    expect(host.batches).toHaveLength(1);
    host.read();
    await host.quiet();
    expect(host.dataBytes()).toBe(bytes);
  });
});

describe('what is saved', () => {
  it('copies: a payload leaves as the memory that was written', async () => {
    const { host, calls } = rig(1, [[INITIAL_WINDOW_SIZE, 2 * MIB]]);
    host.send(opened);
    const payload = Buffer.alloc(MIB);
    calls[0].write([payload]);
    await host.quiet();
    const pieces = host.batches.flat().filter((piece) => piece.buffer === payload.buffer);
    expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(MIB);
  });

  it('writes: the answers to a burst of calls leave in one piece', async () => {
    const { host, calls } = rig(20);
    await host.quiet();
    const before = host.batches.length;
    for (const call of calls) {
      call.write([Buffer.alloc(5)]);
      call.end(GRPC_STATUS.OK);
    }
    await host.quiet();
    expect(host.batches.slice(before).map((pieces) => pieces.length)).toEqual([1]);
    expect(host.frames.filter(ends)).toHaveLength(20);
  });
});
