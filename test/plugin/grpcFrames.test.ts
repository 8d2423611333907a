import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKlosetError } from '../../src/errors.ts';
import { framed, GrpcFrames, MAX_MESSAGE_BYTES } from '../../src/plugin/grpcFrames.ts';
import { cuts, split } from './support/splits.ts';

function collector() {
  const messages: Buffer[] = [];
  let open: Buffer[] = [];
  let announced = 0;
  const frames = new GrpcFrames({
    begin: (lengthBytes) => {
      announced = lengthBytes;
      open = [];
    },
    piece: (bytes) => open.push(Buffer.from(bytes)),
    end: () => {
      const message = Buffer.concat(open);
      expect(message.length).toBe(announced);
      messages.push(message);
    },
  });
  return { frames, messages };
}

function prefixOf(flag: number, lengthBytes: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(lengthBytes, 1);
  return prefix;
}

describe('message framing', () => {
  it('gives back the messages that were framed, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), cuts, (sent, lengths) => {
        const wire = Buffer.concat(
          sent.flatMap((message) => framed([message.subarray(0, 3), message.subarray(3)])),
        );
        const { frames, messages } = collector();
        for (const piece of split(wire, lengths)) frames.push(piece);
        frames.end();
        expect(messages).toEqual(sent.map((message) => Buffer.from(message)));
        expect(frames.messages).toBe(sent.length);
      }),
    );
  });

  it('hands bytes on as they come: nothing is collected', () => {
    const sizes: number[] = [];
    const frames = new GrpcFrames({
      begin: () => {},
      piece: (bytes) => sizes.push(bytes.length),
      end: () => {},
    });
    frames.push(prefixOf(0, 1000));
    frames.push(new Uint8Array(400));
    expect(sizes).toEqual([400]);
    frames.push(new Uint8Array(600));
    expect(sizes).toEqual([400, 600]);
  });

  it('refuses a request that ends within a message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(), (message, at) => {
        const wire = Buffer.concat(framed([message]));
        const { frames } = collector();
        frames.push(wire.subarray(0, 1 + (at % (wire.length - 1))));
        expect(() => frames.end()).toThrow(/REQUEST_INVALID.*ended within a message/);
      }),
    );
  });

  it('refuses compression, unknown flags and messages above the limit, by the prefix alone', () => {
    const push = (prefix: Buffer) => () => collector().frames.push(prefix);
    expect(push(prefixOf(1, 3))).toThrow(/REQUEST_UNSUPPORTED.*compressed/);
    expect(push(prefixOf(2, 3))).toThrow(/REQUEST_INVALID.*flag/);
    expect(push(prefixOf(0, MAX_MESSAGE_BYTES + 1))).toThrow(/MESSAGE_TOO_LARGE.*4194305/);
    expect(push(prefixOf(0, MAX_MESSAGE_BYTES))).not.toThrow();
  });

  it('answers any bytes with messages or with one of its errors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), cuts, (bytes, lengths) => {
        const { frames } = collector();
        try {
          for (const piece of split(bytes, lengths)) frames.push(piece);
          frames.end();
        } catch (error) {
          expect(isKlosetError(error)).toBe(true);
        }
      }),
    );
  });
});
