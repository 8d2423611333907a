/** Error bodies in every format, from registries and from what stands before them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKlosetError } from '../../src/errors.ts';
import { answerError } from '../../src/registry/answerErrors.ts';
import type { RegistryAnswer, RegistryRequest } from '../../src/registry/transport.ts';

const REQUEST: RegistryRequest = {
  kind: 'upload-chunk',
  method: 'PATCH',
  url: new URL('https://registry.example/v2/a/b/blobs/uploads/1'),
};

function errorOf(status: number, body: string | Uint8Array, headers: Record<string, string> = {}) {
  async function* bytes() {
    yield Buffer.from(body);
  }
  const answer: RegistryAnswer = {
    status,
    headers,
    body: Object.assign(bytes(), { cancel: async () => {} }),
  };
  return answerError(answer, REQUEST);
}

const json = (code: unknown, message: unknown = '') => JSON.stringify({ errors: [{ code, message }] });

describe('errors of registries', () => {
  test.each([
    [401, '', 'AUTH_REQUIRED'],
    [403, json('DENIED'), 'ACCESS_DENIED'],
    [403, 'You have exceeded a secondary rate limit', 'RATE_LIMITED'],
    [404, json('BLOB_UPLOAD_UNKNOWN'), 'UPLOAD_SESSION_LOST'],
    [404, json('NAME_UNKNOWN'), 'REPOSITORY_UNKNOWN'],
    [404, '<!DOCTYPE html><title>404</title>', 'REGISTRY_FOREIGN'],
    [400, json('DIGEST_INVALID'), 'BLOB_CORRUPT'],
    [400, json('MANIFEST_BLOB_UNKNOWN'), 'BLOB_MISSING'],
    [413, '<html>413 Request Entity Too Large</html>', 'BODY_TOO_LARGE'],
    [416, '{"errors":[{"status":416}]}', 'RANGE_INVALID'],
    [429, json('TOO_MANY_REQUEST'), 'RATE_LIMITED'],
    [500, json('BLOB_UPLOAD_UNKNOWN'), 'REGISTRY_FAILED'],
    [418, '', 'REGISTRY_FAILED'],
    [400, 'Client sent an HTTP request to an HTTPS server.', 'TLS_MISMATCH'],
    [400, '<h1>The plain HTTP request was sent to HTTPS port</h1>', 'TLS_MISMATCH'],
    [400, '<center>No required SSL certificate was sent</center>', 'TLS_REFUSED'],
  ])('%i with the body %s is %s', async (status, body, code) => {
    expect((await errorOf(status, body)).code).toBe(code);
  });

  test.each([
    'null',
    '[]',
    '1',
    '"x"',
    '{}',
    '{"errors":null}',
    '{"errors":[null]}',
    '{"errors":[]}',
    json(7, {}),
  ])('the odd body %s tells no more than its status', async (body) => {
    const error = await errorOf(413, body);
    expect(error.code).toBe('BODY_TOO_LARGE');
    expect(error.details.status).toBe(413);
  });

  test('errors as one object in place of a list', async () => {
    const error = await errorOf(404, '{"errors":{"code":"BLOB_UPLOAD_UNKNOWN","message":"gone"}}');
    expect(error.code).toBe('UPLOAD_SESSION_LOST');
    expect(error.summary).toContain('gone');
  });

  test('a web page is not repeated in the message', async () => {
    expect((await errorOf(502, '<html><body>Bad Gateway</body></html>')).message).not.toContain('<');
  });

  test('what the registry asks to wait is kept', async () => {
    expect((await errorOf(429, '', { 'retry-after': '7' })).details.retryAfterMs).toBe(7000);
    expect(
      (await errorOf(429, json('TOOMANYREQUESTS', 'retry-after: 880.092µs'))).details.retryAfterMs,
    ).toBeCloseTo(0.88, 2);
  });

  test('no body crashes it, drives a terminal or makes a message long', async () => {
    const bodies = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6000 }),
      fc.json(),
      fc.string({ unit: 'binary' }).map((message) => json('X', `\u001b[2J\u009b1m${message}`)),
      fc.uint8Array({ maxLength: 6000 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 300, max: 599 }), bodies, async (status, body) => {
        const error = await errorOf(status, body);
        expect(isKlosetError(error)).toBe(true);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through.
        expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        expect(error.message.length).toBeLessThan(1000);
      }),
    );
  });
});
