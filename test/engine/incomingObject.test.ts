/** Objects that arrive piece by piece: into bounded memory, without a copy on their way out, and never stuck. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { IncomingObject } from '../../src/engine/incomingObject.ts';
import { FIRST_ROOM_BYTES, Intake } from '../../src/engine/intake.ts';
import type { ByteSource } from '../../src/engine/source.ts';
import { isKlosetError } from '../../src/errors.ts';
import { INITIAL_WINDOW_BYTES } from '../../src/plugin/transport.ts';
import { Hasher } from '../../src/workers/hasher.ts';
import { SlabPool } from '../../src/workers/slabs.ts';
import { seededBytes } from '../support/seededBytes.ts';
import * as r from './rig.ts';

const PIECE_BYTES = r.MIB;
const hasher = new Hasher({ choice: 'native', threads: 1 });
afterAll(() => hasher.close());

/** Hands bytes over as a host does: as much as there is room for, then it waits. */
async function arrive(object: IncomingObject, content: Uint8Array, stepBytes = 300_000): Promise<ByteSource> {
  for (let at = 0; at < content.length; ) {
    if (object.roomBytes === 0) await object.grow();
    const bytes = Math.min(stepBytes, object.roomBytes, content.length - at);
    object.write(content.subarray(at, at + bytes));
    at += bytes;
  }
  return object.finish('object');
}

async function bytesOf(source: ByteSource): Promise<Buffer> {
  const reader = await source.open();
  const content = Buffer.alloc(source.sizeBytes ?? 0);
  expect(await reader.read(content, 0)).toBe(content.length);
  await reader.close();
  return content;
}

const spillFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('kloset-oci-spill-'));

describe('an object that arrives', () => {
  test('has room for the first window of a Put', () => {
    expect(FIRST_ROOM_BYTES).toBeGreaterThanOrEqual(INITIAL_WINDOW_BYTES);
    expect(
      new Intake(new SlabPool(8 * r.MIB, PIECE_BYTES), 4 * r.MIB, PIECE_BYTES, hasher).receive().roomBytes,
    ).toBe(FIRST_ROOM_BYTES);
  });

  test.each([0, 1, FIRST_ROOM_BYTES, FIRST_ROOM_BYTES + 1, 4 * r.MIB])(
    'is its bytes in memory, at any position (%i bytes)',
    async (sizeBytes) => {
      const slabs = new SlabPool(8 * r.MIB, PIECE_BYTES);
      const content = seededBytes(1, sizeBytes);
      const source = await arrive(new Intake(slabs, 6 * r.MIB, PIECE_BYTES, hasher).receive(), content);
      expect(source).toMatchObject({ sizeBytes, rereadable: true });
      expect(source.held?.slices?.reduce((sum, { length }) => sum + length, 0)).toBe(sizeBytes);
      expect((await bytesOf(source)).equals(content)).toBe(true);
      // What fits into the first room is hashed when it is sent.
      const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
      expect(await source.held?.digest).toBe(sizeBytes >= FIRST_ROOM_BYTES ? digest : undefined);
      const reader = await source.open();
      const window = Buffer.alloc(1000);
      const from = Math.max(0, sizeBytes - 600);
      const got = await reader.read(window, from);
      expect(window.subarray(0, got).equals(content.subarray(from, from + 1000))).toBe(true);
      source.held?.release();
      source.held?.release();
      expect(slabs.budget.usedBytes).toBe(0);
    },
  );

  test('goes through a file once it is longer than memory allows, and leaves none behind', async () => {
    const before = spillFolders();
    const slabs = new SlabPool(8 * r.MIB, PIECE_BYTES);
    const content = seededBytes(2, 9 * r.MIB + 5);
    const source = await arrive(new Intake(slabs, 4 * r.MIB, PIECE_BYTES, hasher).receive(), content);
    expect(source.held?.slices).toBeUndefined();
    expect(slabs.budget.usedBytes).toBe(0);
    expect((await bytesOf(source)).equals(content)).toBe(true);
    expect(spillFolders().length).toBe(before.length + 1);
    source.held?.release();
    expect(spillFolders()).toEqual(before);
  });

  test('stays in memory when room in a file was asked for and not used', async () => {
    const before = spillFolders();
    const object = new Intake(new SlabPool(8 * r.MIB, PIECE_BYTES), 2 * r.MIB, PIECE_BYTES, hasher).receive();
    object.write(seededBytes(3, 100));
    for (let at = 0; at < 4; at++) await object.grow();
    const source = object.finish('object');
    expect(source.held?.slices?.length).toBe(1);
    expect(spillFolders()).toEqual(before);
  });

  test('refuses bytes that it has no room for, and any once it is complete', async () => {
    const object = new Intake(new SlabPool(8 * r.MIB, PIECE_BYTES), 4 * r.MIB, PIECE_BYTES, hasher).receive();
    expect(() => object.write(new Uint8Array(FIRST_ROOM_BYTES + 1))).toThrow(RangeError);
    object.finish('object');
    expect(() => object.write(new Uint8Array(1))).toThrow('finished');
    await expect(object.grow()).rejects.toThrow('finished');
  });
});

describe('objects that arrive at once', () => {
  test('are all completed, whatever their order, within the budget', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 8 }),
        fc.scheduler(),
        async (sizes, scheduler) => {
          const slabs = new SlabPool(8 * 1000, 1000);
          const intake = new Intake(slabs, 4000, 1000, hasher);
          const puts = sizes.map(async (pieces, at) => {
            const object = intake.receive();
            // The first room of an object is 1 MiB: what the pool is asked for comes on top.
            for (let piece = 0; piece < pieces; piece++) {
              await scheduler.schedule(Promise.resolve());
              await object.grow();
              expect(slabs.budget.usedBytes).toBeLessThanOrEqual(8000);
            }
            const source = object.finish(`object ${at}`);
            // An upload that takes its time, and ends.
            await scheduler.schedule(Promise.resolve());
            source.held?.release();
          });
          await scheduler.waitFor(Promise.all(puts));
          expect(slabs.budget.usedBytes).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('wait for memory, can be given up while they wait, and give back what they had', async () => {
    const slabs = new SlabPool(4 * r.MIB, PIECE_BYTES);
    const intake = new Intake(slabs, 3 * r.MIB, PIECE_BYTES, hasher);
    const [first, second] = [intake.receive(), intake.receive()];
    await first.grow();
    await second.grow();
    // What is free now is the first one's.
    const stop = new AbortController();
    const waiting = second.grow(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toSatisfy((error) => isKlosetError(error, 'CANCELLED'));
    const third = intake.receive();
    const alsoWaiting = third.grow();
    third.discard();
    second.discard();
    await expect(alsoWaiting).rejects.toThrow();
    first.discard();
    expect(slabs.budget.usedBytes).toBe(0);
  });
});

describe('a push of what arrived', () => {
  let rig: r.Rig | undefined;
  afterEach(async () => {
    await rig?.close();
    rig = undefined;
  });

  test('takes no memory beyond what it arrived in, and gives that back', async () => {
    rig = await r.startRig({ memoryBytes: 128 * r.MIB });
    const { open } = rig;
    const content = seededBytes(4, 6 * r.MIB);
    const before = open.coordinator.peakPayloadBytes;
    const source = await arrive(open.coordinator.receive(), content);
    const arrived = open.coordinator.peakPayloadBytes;
    await rig.put(1, source);
    expect(open.coordinator.peakPayloadBytes).toBe(arrived);
    expect(arrived - before).toBeLessThanOrEqual(8 * r.MIB);
    expect((await rig.read(1)).equals(content)).toBe(true);
    // The same memory serves the next ones.
    for (let at = 2; at < 30; at++) await rig.put(at, await arrive(open.coordinator.receive(), content));
    expect(open.coordinator.peakPayloadBytes).toBe(arrived);
  });

  test('is hashed again when the thread that hashed it on its way died', async () => {
    rig = await r.startRig({ memoryBytes: 128 * r.MIB, hasher: 'native' });
    const content = seededBytes(6, 6 * r.MIB);
    const object = rig.open.coordinator.receive();
    for (let at = 0; at < content.length; at += r.MIB) {
      if (object.roomBytes < r.MIB) await object.grow();
      object.write(content.subarray(at, at + r.MIB));
      if (at === 5 * r.MIB) await rig.open.coordinator.hasher.crashWorker();
    }
    await rig.put(1, object.finish('object'));
    expect((await rig.read(1)).equals(content)).toBe(true);
  });

  test('of more than memory goes up in chunks from its file', async () => {
    const before = spillFolders();
    rig = await r.startRig({ memoryBytes: 32 * r.MIB });
    const content = seededBytes(5, 80 * r.MIB);
    await rig.put(1, await arrive(rig.open.coordinator.receive(), content, r.MIB));
    expect((await rig.read(1)).equals(content)).toBe(true);
    expect(spillFolders()).toEqual(before);
  });
});
