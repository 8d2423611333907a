import type { HeaderField } from './hpackTables.ts';

/** The head of a request, checked. */
export interface RequestHead {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The declared length of the body, in bytes. */
  readonly contentLength: number | undefined;
}

/** Why a head or trailers are malformed (RFC 9113 §8.1.1), in words. */
export interface Malformed {
  readonly malformed: string;
}

const REQUEST_PSEUDO_HEADERS = new Set([':method', ':scheme', ':path', ':authority']);
/** They speak of a connection of HTTP/1.1 (§8.2.2). */
const CONNECTION_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;

/** Checks the headers of a request by RFC 9113 §8.2 and §8.3. */
export function requestHead(fields: readonly HeaderField[]): RequestHead | Malformed {
  const pseudo: Record<string, string> = Object.create(null);
  const headers: Record<string, string> = Object.create(null);
  let regular = false;
  for (const { name, value } of fields) {
    if (name.startsWith(':')) {
      if (regular) return { malformed: `${name} behind other headers` };
      if (!REQUEST_PSEUDO_HEADERS.has(name)) return { malformed: `${name} in a request` };
      if (pseudo[name] !== undefined) return { malformed: `${name} twice` };
      pseudo[name] = value;
    } else {
      regular = true;
      const problem = problemOf(name, value);
      if (problem !== undefined) return { malformed: problem };
      const earlier = headers[name];
      headers[name] = earlier === undefined ? value : `${earlier}${name === 'cookie' ? '; ' : ', '}${value}`;
    }
  }
  const path = pseudo[':path'];
  if (!path || !pseudo[':method'] || !pseudo[':scheme']) {
    return { malformed: 'a request without method, scheme or path' };
  }
  const declared = headers['content-length'];
  if (declared === undefined) return { path, headers, contentLength: undefined };
  if (!/^\d{1,15}$/.test(declared)) return { malformed: 'a content-length that is no number' };
  return { path, headers, contentLength: Number(declared) };
}

/** Checks trailers: headers without pseudo-headers (§8.1). Undefined when they are well-formed. */
export function malformedTrailers(fields: readonly HeaderField[]): Malformed | undefined {
  for (const { name, value } of fields) {
    const problem = name.startsWith(':') ? `${name} in trailers` : problemOf(name, value);
    if (problem !== undefined) return { malformed: problem };
  }
  return undefined;
}

function problemOf(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return 'a header name with characters that are not allowed';
  if (CONNECTION_HEADERS.has(name)) return `${name} in HTTP/2`;
  if (name === 'te' && value !== 'trailers') return 'te with another value than trailers';
  if (BAD_VALUE.test(value)) return `${name} with characters that are not allowed`;
  return undefined;
}
