import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { isKlosetError } from '../../src/errors.ts';
import { MAX_COLLECTED_BYTES, ProtoReader } from '../../src/plugin/protoReader.ts';
import {
  createRequest,
  emptyRequest,
  initRequest,
  listRequest,
  objectRequest,
  type RequestDecoder,
} from '../../src/plugin/storeRequests.ts';
import {
  chunkResponses,
  initResponse,
  ListResponse,
  numberResponse,
  openResponse,
} from '../../src/plugin/storeResponses.ts';
import { OBJECT_TYPES } from '../../src/store/objectNames.ts';
import { decode, encode, storeProto } from './support/grpcClient.ts';
import { cuts, split } from './support/splits.ts';

function read<T>(decoder: RequestDecoder<T>, bytes: Uint8Array, lengths: readonly number[] = []): T {
  const reader = new ProtoReader(decoder);
  reader.begin(bytes.length);
  for (const piece of split(bytes, lengths)) reader.piece(piece);
  reader.end();
  return decoder.result();
}

/** A message without its prefix. */
function body(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts).subarray(5);
}

const mac = fc.uint8Array({ minLength: 32, maxLength: 32 });
const type = fc.integer({ min: 1, max: 5 });
const flags = fc.constantFrom(undefined, 0, 1, 77);
const optional = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value });

/** Fields that no message has, of every wire type. */
const unknownFields = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('varint' as const), value: fc.maxSafeNat() }),
      fc.record({ kind: fc.constant('fixed64' as const) }),
      fc.record({ kind: fc.constant('fixed32' as const) }),
      fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 20 }) }),
      fc.record({ kind: fc.constant('group' as const), value: fc.uint8Array({ maxLength: 20 }) }),
    ),
    { maxLength: 4 },
  )
  .map((fields) => {
    const writer = protobuf.Writer.create();
    fields.forEach((field, index) => {
      const tag = (100 + index) * 8;
      if (field.kind === 'varint') writer.uint32(tag).uint64(field.value);
      else if (field.kind === 'fixed64') writer.uint32(tag + 1).fixed64(5);
      else if (field.kind === 'fixed32') writer.uint32(tag + 5).fixed32(5);
      else if (field.kind === 'bytes') writer.uint32(tag + 2).bytes(field.value);
      // Inside of a group stand fields with the numbers of ours: they are not ours.
      else
        writer
          .uint32(tag + 3)
          .uint32(10)
          .bytes(field.value)
          .uint32(16)
          .uint32(9)
          .uint32(tag + 4);
    });
    return writer.finish();
  });

/** Encoded with fields of the future around it. */
const amid = (before: Uint8Array, message: Uint8Array, after: Uint8Array) =>
  Buffer.concat([before, message, after]);

describe('requests, against protobufjs and store.proto', () => {
  it('Init', () => {
    const config = fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' }), { noNullPrototype: true });
    fc.assert(
      fc.property(fc.string(), config, unknownFields, cuts, (protocol, entries, extra, lengths) => {
        const wire = amid(extra, encode('InitRequest', { proto: protocol, config: entries }), extra);
        const request = read(initRequest(), wire, lengths);
        expect(request.protocol).toBe(protocol);
        expect(Object.fromEntries(request.config)).toEqual({ ...entries });
      }),
    );
  });

  it('Init with a key and a value that are left out, and with a key that comes twice', () => {
    const entry = (text: string) => Buffer.from(text, 'latin1');
    const wire = Buffer.concat([
      entry('\x12\x00'),
      entry('\x12\x06\x0a\x01k\x12\x01a'),
      entry('\x12\x06\x12\x01b\x0a\x01k'),
    ]);
    expect([...read(initRequest(), wire).config]).toEqual([
      ['', ''],
      ['k', 'b'],
    ]);
  });

  it('Create', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), unknownFields, cuts, (config, extra, lengths) => {
        const wire = amid(extra, encode('CreateRequest', { config }), extra);
        expect(Buffer.from(read(createRequest(), wire, lengths))).toEqual(Buffer.from(config));
      }),
    );
  });

  it('List', () => {
    fc.assert(
      fc.property(type, flags, unknownFields, cuts, (number, flag, extra, lengths) => {
        const wire = amid(extra, encode('ListRequest', { type: number, ...optional('flags', flag) }), extra);
        expect(read(listRequest(), wire, lengths)).toBe(OBJECT_TYPES[number - 1]);
      }),
    );
  });

  it('Get', () => {
    const range = fc.option(
      fc.record({ offset: fc.maxSafeNat(), length: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        mac,
        type,
        range,
        flags,
        unknownFields,
        cuts,
        (name, number, part, flag, extra, lengths) => {
          const fields = { mac: name, type: number, ...optional('range', part), ...optional('flags', flag) };
          const request = read(objectRequest(), amid(extra, encode('GetRequest', fields), extra), lengths);
          expect(request).toEqual({
            ref: { type: OBJECT_TYPES[number - 1], mac: Buffer.from(name).toString('hex') },
            range: part,
          });
        },
      ),
    );
  });

  it('Delete, whose flags stand where Get has its range', () => {
    fc.assert(
      fc.property(mac, type, flags, cuts, (name, number, flag, lengths) => {
        const wire = encode('DeleteRequest', { mac: name, type: number, ...optional('flags', flag) });
        expect(read(objectRequest(), wire, lengths)).toEqual({
          ref: { type: OBJECT_TYPES[number - 1], mac: Buffer.from(name).toString('hex') },
          range: undefined,
        });
      }),
    );
  });

  it('messages that say nothing', () => {
    fc.assert(
      fc.property(
        unknownFields,
        cuts,
        (extra, lengths) => read(emptyRequest(), extra, lengths) === undefined,
      ),
    );
  });
});

describe('requests that cannot be', () => {
  const get = (fields: Record<string, unknown>) => () => read(objectRequest(), encode('GetRequest', fields));
  const raw =
    (...bytes: number[]) =>
    () =>
      read(objectRequest(), Uint8Array.from(bytes));

  // Bytes near valid ones: tags of small fields with plausible lengths.
  const near = fc.array(
    fc.oneof(fc.constantFrom(8, 10, 16, 18, 26, 11, 12, 13, 9, 32, 0, 1, 2), fc.nat(255)),
    {
      maxLength: 60,
    },
  );

  it('name what was expected', () => {
    expect(get({ type: 1 })).toThrow(/REQUEST_INVALID.*MAC of 32 bytes, got none/);
    expect(get({ mac: Buffer.alloc(31), type: 1 })).toThrow(/one of 31/);
    expect(get({ mac: Buffer.alloc(32) })).toThrow(/from 1 to 5, got 0/);
    expect(get({ mac: Buffer.alloc(32), type: 6 })).toThrow(/got 6.*newer/);
    expect(get({ mac: Buffer.alloc(32), type: -1 })).toThrow(/REQUEST_INVALID/);
    expect(get({ mac: Buffer.alloc(32), type: 1, range: { offset: '18446744073709551615' } })).toThrow(
      /beyond any object/,
    );
    expect(() => read(initRequest(), Buffer.from('\x0a\x02\xff\xfe', 'latin1'))).toThrow(/no UTF-8/);
    expect(() => read(initRequest(), Buffer.from('\x12\x03\x0a\x01\xff', 'latin1'))).toThrow(/no UTF-8/);
  });

  it('have bytes that are no message', () => {
    expect(raw(0x08)).toThrow(/ends within a field/);
    expect(raw(0x80)).toThrow(/ends within a field/);
    expect(raw(0x12, 0x05, 1)).toThrow(/longer than its message/);
    expect(raw(0x09, 1, 2, 3)).toThrow(/ends within a field/);
    expect(raw(0x0d, 1, 2, 3)).toThrow(/ends within a field/);
    expect(raw(0x0b)).toThrow(/ends within a group/);
    expect(raw(0x0c)).toThrow(/not begun/);
    expect(raw(0x0b, 0x14)).toThrow(/not begun/);
    expect(raw(0x0e)).toThrow(/unknown kind 6/);
    expect(raw(0x00, 0x00)).toThrow(/impossible number/);
    expect(raw(0x08, ...Array(10).fill(0x80), 1)).toThrow(/more than ten bytes/);
    expect(raw(...Array(65).fill(0x0b))).toThrow(/nested too deep/);
  });

  it('would take memory without bound', () => {
    const reader = new ProtoReader(createRequest());
    reader.begin(MAX_COLLECTED_BYTES + 10);
    const head = protobuf.Writer.create()
      .uint32(10)
      .uint32(MAX_COLLECTED_BYTES + 1)
      .finish();
    expect(() => reader.piece(head)).toThrow(/MESSAGE_TOO_LARGE/);
  });

  it('never lead to anything but a request or one of our errors, and the cuts do not matter', () => {
    const decoders = [emptyRequest, initRequest, createRequest, listRequest, objectRequest];
    const outcome = (make: () => RequestDecoder<unknown>, bytes: Uint8Array, lengths: readonly number[]) => {
      try {
        return { value: read(make(), bytes, lengths) };
      } catch (error) {
        expect(isKlosetError(error)).toBe(true);
        return { error: (error as Error).message };
      }
    };
    fc.assert(
      fc.property(fc.constantFrom(...decoders), near, cuts, (make, numbers, lengths) => {
        const bytes = Uint8Array.from(numbers);
        expect(outcome(make, bytes, lengths)).toEqual(outcome(make, bytes, []));
      }),
      { numRuns: 2000 },
    );
  });

  it('mean the same to protobufjs where they are taken', () => {
    let taken = 0;
    fc.assert(
      fc.property(near, (numbers) => {
        const bytes = Uint8Array.from(numbers);
        let ours: Uint8Array;
        try {
          ours = read(createRequest(), bytes);
        } catch {
          return;
        }
        taken++;
        expect([...ours]).toEqual([...(decode('CreateRequest', bytes).config as Uint8Array)]);
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

describe('responses, against protobufjs and store.proto', () => {
  it('Init', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ unit: 'grapheme' }), (origin, kind, root) => {
        expect(decode('InitResponse', body(initResponse({ origin, type: kind, root })))).toEqual({
          origin,
          type: kind,
          root,
          flags: 0,
        });
      }),
    );
  });

  it('is byte for byte what the Go connector answers to Init', () => {
    const parts = initResponse({ origin: 'probe/a', type: 'oci', root: 'http://127.0.0.1:45871' });
    // Recorded from its pipe.
    const recorded =
      '0000000026' +
      '0a0770726f62652f6112036f63691a16' +
      Buffer.from('http://127.0.0.1:45871').toString('hex');
    expect(Buffer.concat(parts).toString('hex')).toBe(recorded);
  });

  it('Open', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (config) => {
        expect(decode('OpenResponse', body(openResponse(config)))).toEqual({ config: Buffer.from(config) });
      }),
    );
  });

  it('numbers of all signs and sizes', () => {
    const names = { Size: 'size', Put: 'bytesWritten' } as const;
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        for (const [name, field] of Object.entries(names)) {
          expect(decode(`${name}Response`, body(numberResponse(value)))).toEqual({ [field]: value });
        }
      }),
    );
    for (const mode of [-1, 0, 6, 2 ** 31 - 1]) {
      expect(decode('ModeResponse', body(numberResponse(mode)))).toEqual({ mode });
    }
  });

  it('List', () => {
    fc.assert(
      fc.property(fc.array(mac, { maxLength: 200 }), (macs) => {
        const response = new ListResponse();
        for (const one of macs) response.add(Buffer.from(one).toString('hex'));
        expect(decode('ListResponse', body(response.finish('state')))).toEqual({
          macs: macs.map((one) => Buffer.from(one)),
        });
      }),
    );
  });

  it('List up to the longest that grpc-go takes by default, and not beyond', () => {
    const response = new ListResponse();
    for (let n = 0; n < ListResponse.maxMacs; n++) response.add('ab'.repeat(32));
    const [, message] = response.finish('packfile');
    expect(message?.length).toBe(4_194_274);
    response.add('cd'.repeat(32));
    response.add('ef'.repeat(32));
    expect(() => response.finish('packfile')).toThrow(
      /MESSAGE_TOO_LARGE.*123363 objects of type packfile.*at most 123361.*maintenance/,
    );
  });

  it('chunks of at most 1 MiB, which are the very bytes that were given', () => {
    const content = Buffer.alloc(2.5 * 1024 * 1024, 7);
    const messages = [...chunkResponses(content)];
    const lengths = messages.map((parts) => (decode('GetResponse', body(parts)).chunk as Buffer).length);
    expect(lengths).toEqual([1024 * 1024, 1024 * 1024, 512 * 1024]);
    for (const parts of messages) expect(parts.at(-1)?.buffer).toBe(content.buffer);
    expect([...chunkResponses(new Uint8Array())]).toEqual([]);
  });
});

it('store.proto names every call of the service', () => {
  const service = storeProto.lookupService('Store');
  const calls = Object.values(service.methods).map((method) => [
    method.name,
    Boolean(method.requestStream),
    Boolean(method.responseStream),
  ]);
  const unary = ['Init', 'Create', 'Open', 'Ping', 'Close', 'Mode', 'Size', 'List', 'Delete'];
  expect(Object.fromEntries(calls.map(([name, ...streams]) => [name, streams]))).toEqual({
    ...Object.fromEntries(unary.map((name) => [name, [false, false]])),
    Put: [true, false],
    Get: [false, true],
  });
});
