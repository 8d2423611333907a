/** The numbers of RFC 9113 that this server uses. */

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Length, type, flags, stream (§4.1). */
export const FRAME_HEADER_BYTES = 9;

/** §6 */
export const FRAME = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

/** §6; ACK and END_STREAM share a bit, on different frames. */
export const FLAG = {
  ACK: 0x1,
  END_STREAM: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** §6.5.2 */
export const SETTING = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
} as const;

/** §7 */
export const H2_ERROR = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  ENHANCE_YOUR_CALM: 0xb,
} as const;

/** One of {@link H2_ERROR}. */
export type H2ErrorCode = (typeof H2_ERROR)[keyof typeof H2_ERROR];

/** What both sides start from until they announce something else (§6.5.2, §6.9.2). */
export const DEFAULT_WINDOW_BYTES = 65_535;
export const DEFAULT_MAX_FRAME_BYTES = 16_384;

/** The largest window and increment (§6.9.1), and the largest stream identifier. */
export const MAX_31_BIT = 0x7fff_ffff;

/**
 * The host broke the protocol so that the connection cannot go on: GOAWAY with `code`. Stays inside this folder,
 * where it unwinds from the parser to the connection.
 */
export class ConnectionFault extends Error {
  readonly code: H2ErrorCode;

  constructor(code: H2ErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** The error's name in the RFC. */
  get codeName(): string {
    return nameOf(H2_ERROR, this.code);
  }
}

/** The name of a number in one of the tables above. */
export function nameOf(table: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(table).find((name) => table[name] === value) ?? `0x${value.toString(16)}`;
}
