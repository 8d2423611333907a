import { expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, KlosetError } from '../../src/errors.ts';
import { endWithError } from '../../src/plugin/callErrors.ts';
import { GRPC_STATUS } from '../../src/plugin/transport.ts';
import { fakeCall } from './support/fakeCall.ts';

function ended(error: unknown) {
  const call = fakeCall('/store.Store/Open');
  endWithError(call, error);
  return call.ended;
}

it.each([
  ['USAGE', 'INVALID_ARGUMENT'],
  ['LOCATION_INVALID', 'INVALID_ARGUMENT'],
  ['REQUEST_UNSUPPORTED', 'UNIMPLEMENTED'],
  ['MESSAGE_TOO_LARGE', 'RESOURCE_EXHAUSTED'],
  ['OBJECT_MISSING', 'NOT_FOUND'],
  ['STORE_MISSING', 'NOT_FOUND'],
  ['STORE_EXISTS', 'FAILED_PRECONDITION'],
  ['CANCELLED', 'CANCELLED'],
  ['INTERNAL', 'INTERNAL'],
  ['BLOB_CORRUPT', 'UNKNOWN'],
] as const)('%s is %s', async (code, status) => {
  expect((await ended(new KlosetError(code, 'x'))).status).toBe(GRPC_STATUS[status]);
});

it('what happened is always shown: plakar hides the message of one status and rewrites that of another', async () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const { status, message } = await ended(new KlosetError(code, 'it broke'));
    expect(message).toBe(`[${code}] it broke.`);
    expect(status).not.toBe(GRPC_STATUS.OK);
    expect(status).not.toBe(GRPC_STATUS.UNAVAILABLE);
    if (code !== 'CANCELLED') expect(status).not.toBe(GRPC_STATUS.CANCELLED);
  }
});

it('a message is one line of bounded length', async () => {
  const { message } = await ended(new KlosetError('REGISTRY_FAILED', `a\r\n  b\n${'<html>'.repeat(10_000)}`));
  expect(message).toMatch(/^\[REGISTRY_FAILED\] a b <html>/);
  expect(message).toHaveLength(2000);
});
