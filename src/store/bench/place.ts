import { type ErrorCode, isKlosetError } from '../../errors.ts';
import type { TransportPolicy } from '../../registry/compose.ts';
import { describeReference, type Reference } from '../../registry/reference.ts';
import { cancelUpload, startUpload } from '../../registry/uploads.ts';
import { BENCH_PREFIX } from '../objectNames.ts';
import type { OpenOciStore } from '../openStore.ts';

/** Where a run keeps its objects. */
export interface BenchPlace {
  readonly location: string;
  /** A repository of the run's own, below the one that was asked about. */
  readonly own: boolean;
  /** Puts the run's tags apart from those of others, where the repository is not its own. */
  readonly around: TransportPolicy;
}

const CANCEL_TIMEOUT_MS = 1500;

// How registries say that there is no such repository, that it cannot be made, or that the login is for another one.
const NO_CHILDREN: readonly ErrorCode[] = [
  'AUTH_REQUIRED',
  'ACCESS_DENIED',
  'TOKEN_SERVICE_FAILED',
  'REPOSITORY_UNKNOWN',
  'REGISTRY_FAILED',
  'LOCATION_INVALID',
];

/** A child of the repository, and the repository itself. @param id tells runs apart */
export function placesFor(
  reference: Reference,
  id: string,
): readonly [child: BenchPlace, itself: BenchPlace] {
  const location = `oci://${describeReference(reference)}`;
  return [
    { location: `${location}/${BENCH_PREFIX}${id}`, own: true, around: (next) => next },
    { location, own: false, around: withTagPrefix(`${BENCH_PREFIX}${id}-`) },
  ];
}

/**
 * Opens the child where objects can be stored there, else the repository itself.
 *
 * @param open how a store is opened at a place
 * @throws KlosetError of the registry where neither can be written to
 */
export async function settle<T extends Pick<OpenOciStore, 'exchange' | 'close'>>(
  places: readonly [BenchPlace, BenchPlace],
  open: (place: BenchPlace) => T,
  signal: AbortSignal,
): Promise<{ readonly place: BenchPlace; readonly opened: T }> {
  const [child, itself] = places;
  try {
    return await tried(child, open, signal);
  } catch (error) {
    if (!isKlosetError(error) || !NO_CHILDREN.includes(error.code)) throw error;
    return tried(itself, open, signal);
  }
}

async function tried<T extends Pick<OpenOciStore, 'exchange' | 'close'>>(
  place: BenchPlace,
  open: (place: BenchPlace) => T,
  signal: AbortSignal,
): Promise<{ place: BenchPlace; opened: T }> {
  const opened = open(place);
  try {
    // Not even a repository is made by a session that is cancelled.
    const session = await startUpload(opened.exchange, undefined, signal);
    if (session !== 'mounted') await cancelUpload(opened.exchange, session, CANCEL_TIMEOUT_MS);
    return { place, opened };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** A policy that gives tags another name on the wire. */
function withTagPrefix(prefix: string): TransportPolicy {
  return (next) => (request) => {
    const [, before, tag] = /^(.*\/manifests\/)([^/:]+)$/.exec(request.url.pathname) ?? [];
    if (tag === undefined) return next(request);
    const url = new URL(request.url);
    url.pathname = `${before}${prefix}${tag}`;
    return next({ ...request, url });
  };
}
