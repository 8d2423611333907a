import { asKlosetError, type ErrorCode, type KlosetError } from '../errors.ts';
import { type Call, GRPC_STATUS, type GrpcStatus } from './transport.ts';

/**
 * The status for each error that has one of its own; all others are UNKNOWN. The host looks at two of them only:
 * CANCELLED hides the message, and UNAVAILABLE puts "I/O error communicating with the integration" in front of it,
 * which is no help where a registry cannot be reached. So neither stands for a failure of the registry.
 */
const STATUSES: Partial<Record<ErrorCode, GrpcStatus>> = {
  USAGE: GRPC_STATUS.INVALID_ARGUMENT,
  LOCATION_INVALID: GRPC_STATUS.INVALID_ARGUMENT,
  OBJECT_NAME_INVALID: GRPC_STATUS.INVALID_ARGUMENT,
  REQUEST_INVALID: GRPC_STATUS.INVALID_ARGUMENT,
  RANGE_INVALID: GRPC_STATUS.INVALID_ARGUMENT,
  REQUEST_UNSUPPORTED: GRPC_STATUS.UNIMPLEMENTED,
  MESSAGE_TOO_LARGE: GRPC_STATUS.RESOURCE_EXHAUSTED,
  RATE_LIMITED: GRPC_STATUS.RESOURCE_EXHAUSTED,
  DISK_FULL: GRPC_STATUS.RESOURCE_EXHAUSTED,
  OBJECT_MISSING: GRPC_STATUS.NOT_FOUND,
  STORE_MISSING: GRPC_STATUS.NOT_FOUND,
  REPOSITORY_UNKNOWN: GRPC_STATUS.NOT_FOUND,
  STORE_EXISTS: GRPC_STATUS.FAILED_PRECONDITION,
  DELETE_UNSUPPORTED: GRPC_STATUS.FAILED_PRECONDITION,
  CANCELLED: GRPC_STATUS.CANCELLED,
  INTERNAL: GRPC_STATUS.INTERNAL,
};

// grpc-go refuses header lists above 16 KiB, and percent-encoding triples a byte.
const MAX_MESSAGE_CHARACTERS = 2000;

/** Ends a call with what went wrong: one line that is complete, since the host shows nothing else. */
export function endWithError(call: Call, thrown: unknown): KlosetError {
  const error = asKlosetError(thrown);
  call.end(STATUSES[error.code] ?? GRPC_STATUS.UNKNOWN, oneLine(error.message));
  return error;
}

/** A message without line breaks, of bounded length. */
export function oneLine(message: string): string {
  const line = message.replace(/\s*[\r\n]+\s*/g, ' ');
  return line.length <= MAX_MESSAGE_CHARACTERS ? line : `${line.slice(0, MAX_MESSAGE_CHARACTERS - 1)}…`;
}
