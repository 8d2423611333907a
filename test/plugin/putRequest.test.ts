import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IncomingObject } from '../../src/engine/incomingObject.ts';
import type { ByteSource } from '../../src/engine/source.ts';
import { KlosetError } from '../../src/errors.ts';
import { ByteBudget } from '../../src/flow/byteBudget.ts';
import { PutRequest } from '../../src/plugin/putRequest.ts';
import { INITIAL_WINDOW_BYTES } from '../../src/plugin/transport.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { type FakeCall, fakeCall, settle } from './support/fakeCall.ts';
import { encode, frame } from './support/grpcClient.ts';
import { memoryObjects } from './support/memoryObject.ts';

const MIB = 1024 * 1024;
const MAC = Buffer.alloc(32, 0xab);

function startPut(receive: () => IncomingObject): { call: FakeCall; arrived: PutRequest['arrived'] } {
  const call = fakeCall('/store.Store/Put');
  const request = new PutRequest(call, receive);
  call.receive(request);
  request.arrived.catch(() => {});
  return { call, arrived: request.arrived };
}

const named = (fields: Record<string, unknown> = {}) =>
  frame(encode('PutRequest', { mac: MAC, type: 1, ...fields }));
const chunk = (bytes: Uint8Array) => frame(encode('PutRequest', { chunk: bytes }));

/** Messages as plakar sends them. */
function wireOf(content: Uint8Array, chunkBytes = MIB): Buffer {
  const messages = [named()];
  for (let at = 0; at < content.length; at += chunkBytes) {
    messages.push(chunk(content.subarray(at, at + chunkBytes)));
  }
  return Buffer.concat(messages);
}

/** Sends all, as far and as often as there is credit. Returns what could not be sent. */
async function sendAll(call: FakeCall, wire: Uint8Array): Promise<Uint8Array> {
  let rest = wire;
  await settle();
  for (let before = -1; rest.length > 0 && rest.length !== before; ) {
    before = rest.length;
    rest = call.send(rest);
    await settle();
  }
  return rest;
}

async function bytesOf(source: ByteSource): Promise<Buffer> {
  const reader = await source.open();
  const bytes = Buffer.alloc(source.sizeBytes ?? 0);
  await reader.read(bytes, 0);
  await reader.close();
  return bytes;
}

describe('an object that arrives', () => {
  it('is what the host has sent, with its name and length', async () => {
    const content = seededBytes(1, 9 * MIB + 17);
    const { call, arrived } = startPut(memoryObjects().receive);
    expect(await sendAll(call, wireOf(content))).toHaveLength(0);
    call.close();
    const object = await arrived;
    expect(object.ref).toEqual({ type: 'packfile', mac: 'ab'.repeat(32) });
    expect(object.bytes).toBe(content.length);
    expect((await bytesOf(object.source)).equals(content)).toBe(true);
  });

  it('may be empty, small, in one message with its name, and with flags', async () => {
    for (const [wire, bytes] of [
      [named(), 0],
      [Buffer.concat([named({ flags: 1 }), chunk(Buffer.from('abc'))]), 3],
      [named({ chunk: Buffer.from('abcd'), flags: 1 }), 4],
      [Buffer.concat([named(), chunk(Buffer.alloc(0)), chunk(Buffer.from('x'))]), 1],
    ] as const) {
      const { call, arrived } = startPut(memoryObjects().receive);
      call.send(wire);
      call.close();
      expect((await arrived).bytes).toBe(bytes);
    }
  });

  it('is never given more credit than it has room for, and comes through whatever the messages are', async () => {
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 700_000 })), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 3 * MIB }), async (parts, stepBytes) => {
        const objects = memoryObjects(undefined, stepBytes);
        let object: IncomingObject | undefined;
        const { call, arrived } = startPut(() => {
          object = objects.receive();
          return object;
        });
        const contents = parts.map((length, n) => seededBytes(n, length));
        let rest: Uint8Array = Buffer.concat([named(), ...contents.map(chunk)]);
        for (let turns = 0; rest.length > 0 && turns < 1000; turns++) {
          rest = call.send(rest);
          await settle();
          expect(call.windowBytes).toBeLessThanOrEqual(object?.roomBytes ?? INITIAL_WINDOW_BYTES);
        }
        expect(rest).toHaveLength(0);
        call.close();
        expect((await bytesOf((await arrived).source)).equals(Buffer.concat(contents))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('comes through in messages that hold next to nothing', async () => {
    const { call, arrived } = startPut(memoryObjects().receive);
    // Eleven bytes for each byte of content: the window is used up by what stands around it.
    const wire = Buffer.concat([named(), ...Array.from({ length: 300_000 }, () => chunk(Buffer.from('y')))]);
    expect(wire.length).toBeGreaterThan(2 * INITIAL_WINDOW_BYTES);
    expect(await sendAll(call, wire)).toHaveLength(0);
    call.close();
    expect((await arrived).bytes).toBe(300_000);
  });

  it('profits from room beyond the first window at once', () => {
    const { call } = startPut(() => ({ ...memoryObjects().receive(), roomBytes: 4 * MIB }));
    call.send(Buffer.concat([named(), chunk(Buffer.from('x'))]));
    expect(call.windowBytes).toBeGreaterThan(4 * MIB - 200);
  });
});

describe('back-pressure', () => {
  it('holds the host while memory is full, and lets it go on when there is some', async () => {
    const budget = new ByteBudget(8 * MIB);
    await budget.acquire(8 * MIB);
    const { call, arrived } = startPut(memoryObjects(budget).receive);
    const content = seededBytes(2, 6 * MIB);
    let rest = await sendAll(call, wireOf(content));
    expect(call.windowBytes).toBe(0);
    expect(rest.length).toBeGreaterThan(5 * MIB - 1);
    budget.release(2 * MIB);
    rest = await sendAll(call, rest);
    expect(rest.length).toBeGreaterThan(3 * MIB - 1);
    expect(rest.length).toBeLessThan(3.1 * MIB);
    budget.release(6 * MIB);
    expect(await sendAll(call, rest)).toHaveLength(0);
    call.close();
    expect((await bytesOf((await arrived).source)).equals(content)).toBe(true);
  });

  it('stops waiting for room when all has arrived', async () => {
    const budget = new ByteBudget(MIB);
    await budget.acquire(MIB);
    const { call, arrived } = startPut(memoryObjects(budget).receive);
    const content = seededBytes(3, INITIAL_WINDOW_BYTES - 200);
    expect(await sendAll(call, wireOf(content))).toHaveLength(0);
    expect(budget.waiting).toBe(1);
    call.close();
    expect((await arrived).bytes).toBe(content.length);
    expect(budget.waiting).toBe(0);
  });

  it('asks for nothing on behalf of small objects', async () => {
    const budget = new ByteBudget(MIB);
    const { call, arrived } = startPut(memoryObjects(budget).receive);
    await sendAll(call, wireOf(seededBytes(4, 300_000)));
    call.close();
    await arrived;
    expect(budget.peakBytes).toBe(0);
  });
});

describe('a Put that cannot be', () => {
  it.each([
    [
      'no mac',
      frame(encode('PutRequest', { type: 1, chunk: Buffer.from('x') })),
      /MAC of 32 bytes, got none/,
    ],
    ['a short mac', named({ mac: Buffer.alloc(5) }), /got one of 5/],
    ['no type', frame(encode('PutRequest', { mac: MAC })), /type of object from 1 to 5, got 0/],
    ['no message', Buffer.alloc(0), /MAC of 32 bytes, got none/],
    ['half a message', named().subarray(0, 20), /ended within a message/],
    ['half a chunk', Buffer.concat([named(), chunk(Buffer.alloc(1000)).subarray(0, 500)]), /bytes early/],
    ['garbage', Buffer.concat([named(), frame(Buffer.from([0x0e]))]), /unknown kind/],
  ])('%s', async (_, wire, reason) => {
    const objects = memoryObjects();
    const { call, arrived } = startPut(objects.receive);
    call.send(wire);
    call.close();
    await expect(arrived).rejects.toThrow(reason);
    await expect(arrived).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    expect(objects.held).toBe(0);
  });

  it('is read to its end, so that the host comes to the reason', async () => {
    const objects = memoryObjects();
    const { call, arrived } = startPut(() => ({
      ...objects.receive(),
      roomBytes: 0,
      write: () => {},
      grow: () => Promise.reject(new KlosetError('DISK_FULL', 'no room for it')),
    }));
    let settled = false;
    arrived.catch(() => {
      settled = true;
    });
    expect(await sendAll(call, wireOf(seededBytes(5, 20 * MIB)))).toHaveLength(0);
    expect(settled).toBe(false);
    call.close();
    await expect(arrived).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(objects.held).toBe(0);
  });

  it('gives its memory back when the host resets it, also while it waits for room', async () => {
    const budget = new ByteBudget(2 * MIB);
    const objects = memoryObjects(budget);
    const { call, arrived } = startPut(objects.receive);
    await sendAll(call, wireOf(seededBytes(6, 8 * MIB)));
    expect([budget.waiting, budget.usedBytes, objects.held]).toEqual([1, 2 * MIB, 1]);
    call.reset();
    await expect(arrived).rejects.toMatchObject({ code: 'CANCELLED' });
    await settle();
    expect([budget.waiting, budget.usedBytes, objects.held]).toEqual([0, 0, 0]);
  });
});
