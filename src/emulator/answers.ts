import type { BlobReader } from './storage.ts';

export type AnswerHeaders = Record<string, string>;

/** What a handler decided; the sender puts it on the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body?: Buffer | BlobReader;
}

/** An answer without a body. */
export function empty(status: number, headers: AnswerHeaders = {}): Answer {
  // 204 and 304 must not carry a length; every other bodyless answer needs one, or Node sends it chunked.
  if (status !== 204) headers['Content-Length'] = '0';
  return { status, headers };
}

export function json(
  status: number,
  value: unknown,
  headers: AnswerHeaders = {},
  type = 'application/json',
): Answer {
  const body = Buffer.from(JSON.stringify(value));
  headers['Content-Type'] = type;
  headers['Content-Length'] = String(body.length);
  return { status, headers, body };
}

/** An error in the form the distribution specification defines. */
export function failure(
  status: number,
  code: string,
  message: string,
  extra: { headers?: AnswerHeaders; detail?: unknown } = {},
): Answer {
  const error = extra.detail === undefined ? { code, message } : { code, message, detail: extra.detail };
  return json(status, { errors: [error] }, extra.headers);
}

export function notAllowed(allow: string): Answer {
  return failure(405, 'UNSUPPORTED', 'the method is not supported here', { headers: { Allow: allow } });
}
