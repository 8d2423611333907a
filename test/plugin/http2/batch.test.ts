import { describe, expect, it } from 'vitest';
import { Batch } from '../../../src/plugin/http2/batch.ts';

describe('a batch', () => {
  it('leaves the pieces of earlier batches alone, which may still be on their way', () => {
    const batch = new Batch();
    const taken: { pieces: readonly Uint8Array[]; expected: Buffer }[] = [];
    for (let round = 0; round < 200; round++) {
      const small = Buffer.alloc(500, round);
      batch.frameHeader(1, 2, round, small.length);
      batch.payload(small);
      const head = Buffer.from([0, 1, 0xf4, 1, 2, 0, 0, 0, round]);
      taken.push({ expected: Buffer.concat([head, small]), pieces: batch.take() });
    }
    for (const { pieces, expected } of taken) expect(Buffer.concat(pieces).equals(expected)).toBe(true);
  });

  it('counts its bytes, keeps their order, and copies only the small ones', () => {
    const batch = new Batch();
    const large = Buffer.alloc(5000, 1);
    batch.frameHeader(0, 0, 1, large.length);
    batch.payload(large);
    batch.frameHeader(0, 1, 1, 3);
    batch.payload(Buffer.from('abc'));
    expect(batch.bytes).toBe(9 + 5000 + 9 + 3);
    const pieces = batch.take();
    expect(pieces.map((piece) => piece.length)).toEqual([9, 5000, 12]);
    expect(pieces[1]).toBe(large);
    expect(batch.bytes).toBe(0);
    expect(batch.take()).toEqual([]);
  });
});
