/** How the length of a body is told (RFC 9112, section 6.3). */
type BodyFraming =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** To the end of the connection. */
  | { readonly kind: 'close' };

/** Status line and headers of an answer. */
export interface ResponseHead {
  readonly status: number;
  /** Lower-case names; repeated headers are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly framing: BodyFraming;
  /** Whether the server means to keep the connection, and for how long it then waits, in milliseconds, if it says so. */
  readonly keepAlive: boolean;
  readonly keepAliveMs: number | undefined;
}

/** What came is no answer of HTTP/1.1. */
export class NotHttpError extends Error {
  override readonly name = 'NotHttpError';
  readonly code = 'NOT_HTTP';
}

const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LENGTH = /^\d{1,16}$/;

/**
 * Reads a head, without the empty line that ends it. Stricter than servers need: two lengths, or a length beside a
 * coding, are how answers are made to be taken for others' on a connection that is used again. To a HEAD there is no
 * body, whatever its length is said to be.
 *
 * @throws NotHttpError
 */
export function parseResponseHead(text: string, method: string): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(first);
  if (!status) throw new NotHttpError('no status line');
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '');
    if (!NAME.test(name) || !VALUE.test(value)) throw new NotHttpError('a malformed header');
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  const minor = Number(status[1]);
  const code = Number(status[2]);
  const framing = framingOf(code, headers, method);
  const connection = listOf(headers.connection);
  return {
    status: code,
    headers,
    framing,
    keepAlive:
      framing.kind !== 'close' &&
      !connection.includes('close') &&
      (minor === 1 || connection.includes('keep-alive')),
    keepAliveMs: keepAliveMs(headers['keep-alive']),
  };
}

function framingOf(status: number, headers: Readonly<Record<string, string>>, method: string): BodyFraming {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304)
    return { kind: 'length', bytes: 0 };
  const coding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (coding !== undefined) {
    if (length !== undefined) throw new NotHttpError('a length beside a transfer coding');
    if (coding.toLowerCase() !== 'chunked')
      throw new NotHttpError(`transfer coding "${coding.slice(0, 40)}"`);
    return { kind: 'chunked' };
  }
  if (length === undefined) return { kind: 'close' };
  const bytes = Number(length);
  if (!LENGTH.test(length) || !Number.isSafeInteger(bytes))
    throw new NotHttpError(`content-length "${length.slice(0, 40)}"`);
  return { kind: 'length', bytes };
}

function listOf(header: string | undefined): string[] {
  return header === undefined
    ? []
    : header
        .toLowerCase()
        .split(',')
        .map((part) => part.trim());
}

function keepAliveMs(header: string | undefined): number | undefined {
  const seconds = /(?:^|[\s,;])timeout=(\d{1,6})/i.exec(header ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
