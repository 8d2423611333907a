import type { KlosetError } from '../errors.ts';

/** What a failure says about a next attempt. */
export type FailureClass = 'transient' | 'throttled' | 'final';

/**
 * What a failure is, by its code and status. Unknown failures are final: repeating them hides a defect.
 *
 * @param answered whether the host has ever answered: one that never did is rather a mistyped name or port than one
 *   that is being restarted
 */
export function classify(error: KlosetError, answered = false): FailureClass {
  const { status } = error.details;
  if (error.code === 'RATE_LIMITED') return 'throttled';
  if (error.code === 'CONNECTION_LOST' || error.code === 'STALLED') return 'transient';
  if (error.code === 'REGISTRY_UNREACHABLE') return answered ? 'transient' : 'final';
  if (error.code === 'REGISTRY_FAILED' && (status === 408 || status === 499 || (status ?? 0) >= 500)) {
    return status === 501 ? 'final' : 'transient';
  }
  return 'final';
}

/**
 * True for a failure that tells nothing about the request: no answer at all, or one of a proxy whose registry is not
 * there (502, 503, 504). Any other server error may well be about this one request.
 */
export function isOutage(error: KlosetError): boolean {
  const { status } = error.details;
  return status === undefined || status === 502 || status === 503 || status === 504;
}
