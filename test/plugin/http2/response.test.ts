import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeGrpcMessage } from '../../../src/plugin/grpcMessage.ts';
import { HpackDecoder } from '../../../src/plugin/http2/hpackDecoder.ts';
import { ResponseBlocks } from '../../../src/plugin/http2/response.ts';
import { GRPC_STATUS } from '../../../src/plugin/transport.ts';

const fieldsOf = (...blocks: Buffer[]) => {
  const decoder = new HpackDecoder(64 * 1024);
  return blocks.map((block) =>
    Object.fromEntries(decoder.decode(block).fields.map(({ name, value }) => [name, value])),
  );
};

describe('the header blocks of answers', () => {
  it('are headers, and trailers with status and message', () => {
    const blocks = new ResponseBlocks();
    const [headers, ok, failed] = fieldsOf(
      blocks.headers(),
      blocks.trailers(GRPC_STATUS.OK, undefined),
      blocks.trailers(GRPC_STATUS.NOT_FOUND, 'no such object'),
    );
    expect(headers).toEqual({ ':status': '200', 'content-type': 'application/grpc' });
    expect(ok).toEqual({ 'grpc-status': '0' });
    expect(failed).toEqual({ 'grpc-status': '5', 'grpc-message': 'no such object' });
  });

  it('are one block for an answer without a body', () => {
    const [only] = fieldsOf(new ResponseBlocks().trailersOnly(GRPC_STATUS.UNAVAILABLE, 'gone'));
    expect(only).toEqual({
      ':status': '200',
      'content-type': 'application/grpc',
      'grpc-status': '14',
      'grpc-message': 'gone',
    });
  });

  it('empty the dynamic table in the first block of a connection only', () => {
    const blocks = new ResponseBlocks();
    expect(blocks.headers()[0]).toBe(0x20);
    expect(blocks.headers()[0]).toBe(0x88);
  });

  it('carry messages of every length that is sent', () => {
    fc.assert(
      fc.property(fc.nat(4096), (length) => {
        const message = 'm'.repeat(length);
        const [only] = fieldsOf(new ResponseBlocks().trailers(GRPC_STATUS.INTERNAL, message));
        expect(only?.['grpc-message'] ?? '').toBe(message);
      }),
    );
  });
});

describe('a grpc-message', () => {
  it('comes back from any text, and is printable ASCII on the way', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const encoded = encodeGrpcMessage(text);
        expect(encoded).toMatch(/^([!-~]([ -~]*[!-~])?)?$/);
        expect(decodeURIComponent(encoded)).toBe(text);
      }),
    );
  });

  it('is cut between characters when it is too long', () => {
    const encoded = encodeGrpcMessage('é'.repeat(2000));
    expect(encoded.length).toBeLessThanOrEqual(4096);
    expect(decodeURIComponent(encoded)).toBe('é'.repeat(682));
  });

  it('bears half of a surrogate pair', () => {
    expect(decodeURIComponent(encodeGrpcMessage('a\ud800b'))).toBe('a\ufffdb');
  });
});
