/** HTTP/2 frames for tests, written and read without the code under test. */

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY = 0x20;

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

export function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, 4 * index);
  });
  return bytes;
}

export function settings(...pairs: [id: number, value: number][]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  pairs.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  });
  return frame(TYPE.SETTINGS, 0, 0, payload);
}

/** A header block of literals without indexing and without Huffman code; strings below 127 bytes. */
export function literals(fields: Readonly<Record<string, string>> | readonly [string, string][]): Buffer {
  const pairs = Array.isArray(fields) ? (fields as [string, string][]) : Object.entries(fields);
  return Buffer.concat(pairs.map(([name, value]) => Buffer.concat([Buffer.of(0), text(name), text(value)])));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length > 126) throw new RangeError('too long for a test');
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

export const REQUEST: Readonly<Record<string, string>> = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': '/store.Store/Put',
  ':authority': 'plugin',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** HEADERS of a request, complete. */
export function request(
  streamId: number,
  flags = 0,
  fields: Readonly<Record<string, string>> | readonly [string, string][] = REQUEST,
): Buffer {
  return frame(TYPE.HEADERS, END_HEADERS | flags, streamId, literals(fields));
}

export function data(streamId: number, payload: Uint8Array, flags = 0): Buffer {
  return frame(TYPE.DATA, flags, streamId, payload);
}

/** Takes whole frames from the front of `bytes`. */
export function takeFrames(bytes: Buffer): { frames: RawFrame[]; rest: Buffer } {
  const frames: RawFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 9) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    frames.push({
      type: bytes[at + 3] ?? 0,
      flags: bytes[at + 4] ?? 0,
      streamId: bytes.readUInt32BE(at + 5),
      payload: Buffer.from(bytes.subarray(at + 9, end)),
    });
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}
