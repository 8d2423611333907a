import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameParser, type FrameSink } from '../../../src/plugin/http2/frameParser.ts';
import { ConnectionFault, H2_ERROR } from '../../../src/plugin/http2/protocol.ts';
import { END_STREAM, frame, PADDED, PREFACE, TYPE, u32 } from '../../support/h2Frames.ts';

/** What a sink was told, with the pieces of a DATA frame put together. */
class Recorder implements FrameSink {
  readonly events: unknown[] = [];
  readonly views: Buffer[] = [];
  #bytes: Buffer[] = [];

  dataBegin(streamId: number, flags: number, length: number): void {
    this.events.push({ data: streamId, flags, length });
    this.#bytes = [];
  }

  dataBytes(bytes: Buffer): void {
    expect(bytes.length).toBeGreaterThan(0);
    this.views.push(bytes);
    this.#bytes.push(Buffer.from(bytes));
  }

  dataEnd(overhead: number): void {
    this.events.push({ end: Buffer.concat(this.#bytes).toString('hex'), overhead });
  }

  frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    this.events.push({ type, flags, streamId, payload: payload.toString('hex') });
  }
}

/** What a parser makes of bytes that arrive in the given pieces, each in a buffer that is overwritten afterwards. */
function parse(pieces: readonly Buffer[]): unknown[] {
  const sink = new Recorder();
  const parser = new FrameParser(sink);
  try {
    for (const piece of pieces) {
      const shared = Buffer.from(piece);
      parser.push(shared);
      shared.fill(0xee);
    }
  } catch (error) {
    if (!(error instanceof ConnectionFault)) throw error;
    sink.events.push({ fault: error.codeName });
  }
  return sink.events;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const borders = [0, ...at.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return borders.slice(1).map((border, index) => bytes.subarray(borders[index], border));
}

const padded = (payload: Uint8Array, padding: number) =>
  Buffer.concat([Buffer.of(padding), payload, Buffer.alloc(padding)]);

const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const anyFrame = fc.oneof(
  fc.record({
    type: fc.integer({ min: 0, max: 255 }),
    flags: fc.integer({ min: 0, max: 255 }),
    streamId: fc.integer({ min: 0, max: 0x7fff_ffff }),
    payload,
  }),
  fc
    .tuple(payload, fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 9 }))
    .map(([bytes, padding, streamId]) => ({
      type: TYPE.DATA,
      flags: PADDED,
      streamId,
      payload: padded(bytes, padding),
    })),
);
const encode = (one: { type: number; flags: number; streamId: number; payload: Buffer }) =>
  frame(one.type, one.flags, one.streamId, one.payload);

describe('the frame parser', () => {
  it('finds the same frames, or the same fault, however reads cut the bytes', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (frames, cuts) => {
          const bytes = Buffer.concat([PREFACE, ...frames.map(encode)]);
          expect(parse(cut(bytes, cuts))).toEqual(parse([bytes]));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds the same frames in single bytes', () => {
    const bytes = Buffer.concat([
      PREFACE,
      frame(TYPE.SETTINGS, 0, 0, Buffer.alloc(12, 7)),
      frame(TYPE.DATA, PADDED | END_STREAM, 3, padded(Buffer.from('abc'), 4)),
      frame(TYPE.PING, 0, 0, u32(1, 2)),
      frame(TYPE.DATA, 0, 5),
    ]);
    const expected = [
      { type: TYPE.SETTINGS, flags: 0, streamId: 0, payload: '07'.repeat(12) },
      { data: 3, flags: PADDED | END_STREAM, length: 8 },
      { end: '616263', overhead: 5 },
      { type: TYPE.PING, flags: 0, streamId: 0, payload: '0000000100000002' },
      { data: 5, flags: 0, length: 0 },
      { end: '', overhead: 0 },
    ];
    expect(parse([...bytes].map((byte) => Buffer.of(byte)))).toEqual(expected);
  });

  it('ignores the reserved bit of a stream identifier', () => {
    const bytes = Buffer.concat([PREFACE, frame(TYPE.WINDOW_UPDATE, 0, 0x8000_0003, u32(9))]);
    expect(parse([bytes])).toEqual([{ type: 8, flags: 0, streamId: 3, payload: '00000009' }]);
  });

  it('passes DATA on as views of the read buffer, without a copy', () => {
    const sink = new Recorder();
    const parser = new FrameParser(sink);
    parser.push(PREFACE);
    const read = Buffer.concat([
      frame(TYPE.DATA, 0, 1, Buffer.alloc(16_384, 1)),
      Buffer.of(0, 64, 0, 0, 0, 0),
    ]);
    parser.push(read);
    parser.push(Buffer.concat([Buffer.of(0, 0, 3), Buffer.alloc(1000, 2)]));
    expect(sink.views.map((view) => view.length)).toEqual([16_384, 1000]);
    expect(sink.views[0]?.buffer).toBe(read.buffer);
    expect(sink.views[0]?.byteOffset).toBe(read.byteOffset + 9);
  });

  it.each([
    ['a wrong preface', Buffer.from('GET / HTTP/1.1\r\n'), 'PROTOCOL_ERROR'],
    [
      'a frame above 16 KiB',
      Buffer.concat([PREFACE, Buffer.of(0, 64, 1, 0, 0, 0, 0, 0, 1)]),
      'FRAME_SIZE_ERROR',
    ],
    [
      'padding as long as the frame',
      Buffer.concat([PREFACE, frame(0, PADDED, 1, Buffer.of(3, 0, 0))]),
      'PROTOCOL_ERROR',
    ],
    ['padding without its length', Buffer.concat([PREFACE, frame(0, PADDED, 1)]), 'FRAME_SIZE_ERROR'],
  ] as const)('refuses %s', (_what, bytes, fault) => {
    expect(parse([bytes])).toEqual([{ fault }]);
    expect(H2_ERROR).toHaveProperty(fault);
  });
});
