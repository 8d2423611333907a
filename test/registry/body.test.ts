import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBody } from '../../src/registry/body.ts';

async function read(chunks: readonly Uint8Array[]): Promise<Uint8Array> {
  async function* body() {
    yield* chunks;
  }
  const answer = { status: 200, headers: {}, body: Object.assign(body(), { cancel: async () => {} }) };
  return readBody(answer, 1000, 'body');
}

/** Views of a memory, some behind one another. */
const views = fc
  .tuple(
    fc.uint8Array({ minLength: 40, maxLength: 40 }),
    fc.array(fc.tuple(fc.nat(30), fc.nat(10), fc.boolean())),
  )
  .map(([memory, places]) => {
    let end = 0;
    return places.map(([at, length, behind]) => {
      const from = behind ? end : at;
      const view = memory.subarray(from, from + length);
      end = view.byteOffset + view.length;
      return view;
    });
  });

test('chunks come together in their order, wherever they lie', async () => {
  await fc.assert(
    fc.asyncProperty(views, async (chunks) => {
      expect(Buffer.from(await read(chunks)).equals(Buffer.concat(chunks))).toBe(true);
    }),
  );
});

test('chunks that lie behind one another are not copied', async () => {
  const memory = Buffer.allocUnsafeSlow(90);
  const bytes = await read([memory.subarray(10, 30), memory.subarray(30, 31), memory.subarray(31, 90)]);
  expect([bytes.buffer, bytes.byteOffset, bytes.length]).toEqual([memory.buffer, 10, 80]);
  const apart = await read([memory.subarray(10, 30), memory.subarray(31, 90)]);
  expect(apart.buffer).not.toBe(memory.buffer);
});
