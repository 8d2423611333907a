import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HpackDecoder } from '../../../src/plugin/http2/hpackDecoder.ts';
import { ConnectionFault, H2_ERROR } from '../../../src/plugin/http2/protocol.ts';
import { type Choice, integer, string, TestEncoder } from './hpackEncoder.ts';

const MAX_LIST_BYTES = 64 * 1024;
const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const list = (decoder: HpackDecoder, block: Buffer) =>
  decoder.decode(block).fields.map(({ name, value }) => `${name}: ${value}`);

/** Blocks of one connection after another, with the headers that they stand for. */
type Exchange = readonly (readonly [block: string, headers: readonly string[]])[];

const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
] as const;

const FIRST_DATE = 'date: Mon, 21 Oct 2013 20:13:21 GMT';
const LOCATION = 'location: https://www.example.com';
const RESPONSES = [
  [':status: 302', 'cache-control: private', FIRST_DATE, LOCATION],
  [':status: 307', 'cache-control: private', FIRST_DATE, LOCATION],
  [
    ':status: 200',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:22 GMT',
    LOCATION,
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
] as const;
/** The responses of the RFC are for a table of 256 bytes, which a block may ask for itself. */
const TABLE_OF_256 = '3fe101';

const VECTORS: Readonly<Record<string, Exchange>> = {
  'C.2.1 literal with indexing': [
    ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key: custom-header']],
  ],
  'C.2.2 literal without indexing': [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path']]],
  'C.2.3 literal never indexed': [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret']]],
  'C.2.4 indexed': [['82', [':method: GET']]],
  'C.3 requests': [
    ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', REQUESTS[0]],
    ['8286 84be 5808 6e6f 2d63 6163 6865', REQUESTS[1]],
    ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', REQUESTS[2]],
  ],
  'C.4 requests with Huffman code': [
    ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', REQUESTS[0]],
    ['8286 84be 5886 a8eb 1064 9cbf', REQUESTS[1]],
    ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', REQUESTS[2]],
  ],
  'C.5 responses with eviction': [
    [
      `${TABLE_OF_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
       2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      RESPONSES[0],
    ],
    ['4803 3330 37c1 c0bf', RESPONSES[1]],
    [
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
       7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61
       6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
      RESPONSES[2],
    ],
  ],
  'C.6 responses with Huffman code and eviction': [
    [
      `${TABLE_OF_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b
       ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      RESPONSES[0],
    ],
    ['4883 640e ffc1 c0bf', RESPONSES[1]],
    [
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2
       e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      RESPONSES[2],
    ],
  ],
};

describe('HPACK decoding', () => {
  it.each(Object.entries(VECTORS))('RFC 7541 %s', (_section, exchange) => {
    const decoder = new HpackDecoder(MAX_LIST_BYTES);
    for (const [block, headers] of exchange) expect(list(decoder, hex(block))).toEqual(headers);
  });

  it('RFC 7541 C.1.2 reads an integer of several bytes', () => {
    const decoder = new HpackDecoder(MAX_LIST_BYTES);
    const value = 'v'.repeat(1337);
    const block = Buffer.concat([Buffer.of(0), string('name', false), string(value, false)]);
    expect(list(decoder, block)).toEqual([`name: ${value}`]);
    expect([...integer(0, 5, 1337)]).toEqual([0x1f, 0x9a, 0x0a]);
  });

  const octets = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  });
  const choice: fc.Arbitrary<Choice> = fc.record({
    form: fc.constantFrom('indexing', 'plain', 'never'),
    huffmanName: fc.boolean(),
    huffmanValue: fc.boolean(),
    useTable: fc.boolean(),
  });
  // Few names, so that tables are hit; long values, so that they overflow.
  const field = fc.tuple(
    fc.oneof(fc.constantFrom(':path', 'te', 'x-a', 'x-b'), octets),
    fc.oneof(
      fc.constantFrom('', 'trailers', '/'),
      octets,
      fc.nat(1500).map((n) => 'z'.repeat(n)),
    ),
  );
  const block = fc.record({
    resizes: fc.array(fc.integer({ min: 0, max: 4096 }), { maxLength: 2 }),
    headers: fc.array(fc.tuple(field, choice), { maxLength: 12 }),
  });

  it('gives back whatever an encoder wrote, over the blocks of a connection', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 8 }), (blocks) => {
        const encoder = new TestEncoder();
        const decoder = new HpackDecoder(1024 * 1024);
        for (const { resizes, headers } of blocks) {
          const bytes = [
            ...resizes.map((size) => encoder.resize(size)),
            ...headers.map(([one, how]) => encoder.header(one, how)),
          ];
          const decoded = decoder.decode(Buffer.concat(bytes));
          expect(decoded.fields.map(({ name, value }) => [name, value])).toEqual(
            headers.map(([one]) => [...one]),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['an index of 0', '80'],
    ['an index beyond both tables', 'be'],
    ['a name index beyond both tables', '7f00 0176'],
    ['a table larger than announced', '3fe21f'],
    ['a table size update behind a header', '8220'],
    ['an integer that never ends', 'ffffffffffffff7f'],
    ['a block that ends inside of an integer', 'ff80'],
    ['a string longer than the block', '000a6162'],
    ['a header without its value', '000161'],
    ['Huffman padding of more than 7 bits', '0001 6182 1fff'],
    ['Huffman padding of zeros', '0001 6181 18'],
    ['EOS in a string', '0001 6184 ffff ffff'],
  ])('refuses %s', (_what, block) => {
    const decoder = new HpackDecoder(MAX_LIST_BYTES);
    expect(() => decoder.decode(hex(block))).toThrow(
      expect.objectContaining({ code: H2_ERROR.COMPRESSION_ERROR }),
    );
  });

  it('never fails in another way, and ends, for any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), (blocks) => {
        const decoder = new HpackDecoder(MAX_LIST_BYTES);
        try {
          for (const bytes of blocks) decoder.decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionFault);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps few headers of an oversized list, but its table in step', () => {
    const encoder = new TestEncoder();
    const decoder = new HpackDecoder(2000);
    const how: Choice = { form: 'indexing', huffmanName: false, huffmanValue: false, useTable: true };
    const large = ['x-large', 'v'.repeat(1500)] as const;
    const block = Buffer.concat([
      ...Array.from({ length: 1000 }, () => encoder.header(large, how)),
      encoder.header(['x-last', 'one'], how),
    ]);
    const { fields, oversized } = decoder.decode(block);
    expect(oversized).toBe(true);
    expect(fields).toHaveLength(1);
    expect(list(decoder, encoder.header(['x-last', 'one'], how))).toEqual(['x-last: one']);
  });

  it('lets the oldest entries go when the table is full, and all for one that is larger than it', () => {
    const decoder = new HpackDecoder(MAX_LIST_BYTES);
    const insert = (name: string, valueBytes: number) =>
      Buffer.concat([Buffer.of(0x40), string(name, false), string('v'.repeat(valueBytes), false)]);
    const index = (entry: number) => integer(0x80, 7, entry);
    decoder.decode(hex(TABLE_OF_256));
    decoder.decode(Buffer.concat([insert('a', 99), insert('b', 90)]));
    expect(list(decoder, index(63))).toEqual([`a: ${'v'.repeat(99)}`]);
    decoder.decode(insert('c', 1));
    expect(() => decoder.decode(index(64))).toThrow('no header has index 64');
    expect(list(decoder, index(63))).toEqual([`b: ${'v'.repeat(90)}`]);
    decoder.decode(insert('d', 300));
    expect(() => decoder.decode(index(62))).toThrow('no header has index 62');
  });

  it('reads headers in tables without making new ones', () => {
    const encoder = new TestEncoder();
    const decoder = new HpackDecoder(MAX_LIST_BYTES);
    const how: Choice = { form: 'indexing', huffmanName: true, huffmanValue: true, useTable: true };
    const [first] = decoder.decode(encoder.header(['user-agent', 'grpc-go/1.81.1'], how)).fields;
    const [again] = decoder.decode(encoder.header(['user-agent', 'grpc-go/1.81.1'], how)).fields;
    expect(again).toBe(first);
  });
});
