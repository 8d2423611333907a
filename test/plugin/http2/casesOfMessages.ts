/** Requests, and what their headers cost: RFC 9113 §8 and §10, RFC 7541. */
import {
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  literals,
  REQUEST,
  request,
  TYPE,
} from '../../support/h2Frames.ts';
import {
  answered,
  BLOCK,
  bytes,
  connectionError,
  OPEN,
  type Row,
  streamError,
  withField,
  without,
} from './conformanceCase.ts';

export const MESSAGES: readonly Row[] = [
  [
    '10.5.1',
    'CONTINUATION frames without end',
    [frame(TYPE.HEADERS, 0, 1, BLOCK), ...Array.from({ length: 40 }, () => frame(TYPE.CONTINUATION, 0, 1))],
    connectionError('ENHANCE_YOUR_CALM'),
  ],
  [
    '10.5.1',
    'a header block without end',
    [
      frame(TYPE.HEADERS, 0, 1, BLOCK),
      ...Array.from({ length: 5 }, () => frame(TYPE.CONTINUATION, 0, 1, bytes(16_384))),
    ],
    connectionError('ENHANCE_YOUR_CALM'),
  ],
  [
    '8.1',
    'trailers',
    [OPEN, data(1, bytes(3)), frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, literals({ 'x-sum': '1' }))],
    answered(1),
  ],
  [
    '8.1',
    'HEADERS behind DATA without END_STREAM',
    [OPEN, data(1, bytes(3)), frame(TYPE.HEADERS, END_HEADERS, 1, literals({ 'x-sum': '1' }))],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '8.1',
    'a pseudo-header in trailers',
    [OPEN, frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, literals({ ':path': '/' }))],
    streamError('PROTOCOL_ERROR'),
  ],
  ['8.1', 'a head of headers alone', [whole([['te', 'trailers']])], streamError('PROTOCOL_ERROR')],
  [
    '8.1.1',
    'a content-length that fits',
    [request(1, 0, withField('content-length', '4')), data(1, bytes(4), END_STREAM)],
    answered(1),
  ],
  [
    '8.1.1',
    'fewer bytes than content-length',
    [request(1, 0, withField('content-length', '4')), data(1, bytes(3), END_STREAM)],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '8.1.1',
    'more bytes than content-length',
    [request(1, 0, withField('content-length', '4')), data(1, bytes(3)), data(1, bytes(2))],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '8.1.1',
    'content-length without a body',
    [whole(withField('content-length', '4'))],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '8.1.1',
    'fewer bytes than content-length, then trailers',
    [
      request(1, 0, withField('content-length', '4')),
      data(1, bytes(3)),
      frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, literals({ 'x-sum': '1' })),
    ],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '8.1.1',
    'a content-length that is no number',
    [whole(withField('content-length', '4, 4'))],
    streamError('PROTOCOL_ERROR'),
  ],
  ['8.2.1', 'an upper-case header name', [whole(withField('X-Test', 'ok'))], streamError('PROTOCOL_ERROR')],
  ['8.2.1', 'an empty header name', [whole(withField('', 'ok'))], streamError('PROTOCOL_ERROR')],
  ['8.2.1', 'a space in a header name', [whole(withField('x test', 'ok'))], streamError('PROTOCOL_ERROR')],
  [
    '8.2.1',
    'a line break in a header value',
    [whole(withField('x-test', 'a\r\nb'))],
    streamError('PROTOCOL_ERROR'),
  ],
  ['8.2.1', 'a NUL in a header value', [whole(withField('x-test', 'a\0b'))], streamError('PROTOCOL_ERROR')],
  ['8.2.1', 'a header value in spaces', [whole(withField('x-test', ' a'))], streamError('PROTOCOL_ERROR')],
  ['8.2.2', 'connection', [whole(withField('connection', 'keep-alive'))], streamError('PROTOCOL_ERROR')],
  [
    '8.2.2',
    'transfer-encoding',
    [whole(withField('transfer-encoding', 'chunked'))],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '8.2.2',
    'te with another value than trailers',
    [whole([...without('te'), ['te', 'gzip']])],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '8.3',
    'an unknown pseudo-header',
    [whole([[':test', 'ok'], ...Object.entries(REQUEST)])],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '8.3',
    'a pseudo-header of responses',
    [whole([[':status', '200'], ...Object.entries(REQUEST)])],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '8.3',
    'a pseudo-header behind a header',
    [whole([...without(':path'), [':path', '/']])],
    streamError('PROTOCOL_ERROR'),
  ],
  ['8.3.1', 'no :method', [whole(without(':method'))], streamError('PROTOCOL_ERROR')],
  ['8.3.1', 'no :scheme', [whole(without(':scheme'))], streamError('PROTOCOL_ERROR')],
  ['8.3.1', 'no :path', [whole(without(':path'))], streamError('PROTOCOL_ERROR')],
  ['8.3.1', 'an empty :path', [whole([[':path', ''], ...without(':path')])], streamError('PROTOCOL_ERROR')],
  [
    '8.3.1',
    ':path twice',
    [whole([[':path', '/'], ...Object.entries(REQUEST)])],
    streamError('PROTOCOL_ERROR'),
  ],
  ['8.3.1', 'no :authority', [whole(without(':authority'))], answered(1)],
  ['10.5', 'a list of headers above the announced size', [largeList()], streamError('ENHANCE_YOUR_CALM')],
  [
    'HPACK 4.2',
    'a table size update behind a header',
    [frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, Buffer.concat([BLOCK, Buffer.of(0x20)]))],
    connectionError('COMPRESSION_ERROR'),
  ],
  [
    'HPACK 6.1',
    'an index of 0',
    [frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, Buffer.of(0x80))],
    connectionError('COMPRESSION_ERROR'),
  ],
  [
    'HPACK 4.3',
    'the table stays in step over a refused request',
    [
      frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, indexing('x-a', 'one')),
      frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 3, Buffer.concat([BLOCK, Buffer.of(0xbe)])),
    ],
    answered(3),
  ],
];

/** Ends a request on stream 1. */
function whole(fields: readonly [string, string][]): Buffer {
  return request(1, END_STREAM, fields);
}

/** A literal that goes into the dynamic table. */
function indexing(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x40), literals({ [name]: value }).subarray(1)]);
}

/** A request with 500 further headers, which are small on the way because they repeat one entry of the table. */
function largeList(): Buffer {
  const headers = Buffer.concat([BLOCK, indexing('x-fill', 'f'.repeat(120)), Buffer.alloc(500, 0xbe)]);
  return frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, headers);
}
