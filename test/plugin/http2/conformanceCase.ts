/** How a case of the conformance tables is written: what is sent, and what must come of it. */
import { H2_ERROR } from '../../../src/plugin/http2/protocol.ts';
import { frame, literals, PADDED, REQUEST, request } from '../../support/h2Frames.ts';

export type Expectation =
  /** GOAWAY with this code, then the end. */
  | { readonly goAway: number }
  /** RST_STREAM with this code; the connection lives. */
  | { readonly reset: number; readonly stream: number }
  /** The connection lives, and these calls are answered with status 0. */
  | { readonly answered: readonly number[] };

/** A section of RFC 9113, or of RFC 7541, what is sent behind the greeting, and what it must lead to. */
export type Row = readonly [section: string, what: string, send: readonly Uint8Array[], expect: Expectation];

export const connectionError = (code: keyof typeof H2_ERROR): Expectation => ({ goAway: H2_ERROR[code] });
export const streamError = (code: keyof typeof H2_ERROR, stream = 1): Expectation => ({
  reset: H2_ERROR[code],
  stream,
});
export const answered = (...streams: number[]): Expectation => ({ answered: streams });

type Field = [name: string, value: string];
export const without = (name: string): Field[] => Object.entries(REQUEST).filter(([key]) => key !== name);
export const withField = (name: string, value: string): Field[] => [
  ...Object.entries(REQUEST),
  [name, value],
];

export const bytes = (length: number): Buffer => Buffer.alloc(length);
export const OPEN: Buffer = request(1);
/** The headers of a request. */
export const BLOCK: Buffer = literals(REQUEST);

/** HEADERS or DATA of stream 1 with a padding length in front. */
export function padded(
  type: number,
  flags: number,
  padding: number,
  payload: Uint8Array,
  zeros: number = padding,
): Buffer {
  return frame(type, PADDED | flags, 1, Buffer.concat([Buffer.of(padding), payload, bytes(zeros)]));
}
