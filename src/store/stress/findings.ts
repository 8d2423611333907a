import type { ParallelStep } from './parallel.ts';
import { enoughConnections } from './parallel.ts';
import type { RateFinding } from './ramp.ts';
import type { LoadedKind } from './shots.ts';
import type { Sample, Step } from './step.ts';

/** What was found of one kind of request. */
export interface KindFinding extends RateFinding {
  readonly kind: LoadedKind;
  readonly steps: readonly Step[];
  readonly samples: readonly Sample[];
  /** Requests that are accepted at once after a pause; `undefined` where no limit was met. */
  readonly burst: number | undefined;
  readonly retryAfterMs: number | undefined;
}

/** All that a stress run has found. */
export interface StressFindings {
  readonly location: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly requests: number;
  readonly bytes: number;
  /** Median of requests one after the other, in milliseconds. */
  readonly roundTripMs: number;
  readonly kinds: readonly KindFinding[];
  readonly uploads: readonly ParallelStep[];
  readonly downloads: readonly ParallelStep[];
  readonly recommended: Readonly<Record<string, string>>;
  readonly leftovers: { readonly tags: number; readonly blobs: number };
  /** What ended it before it had seen everything. */
  readonly cutShort: 'requests' | 'bytes' | 'seconds' | undefined;
}

const DEFAULT_CONCURRENCY = 16;
/** Fewer make small objects slow, whatever long ones need. */
const LEAST_CONCURRENCY = 4;

/** The options that follow from what was found; none where the defaults are right. */
export function recommend(
  uploads: readonly ParallelStep[],
  kinds: readonly Pick<KindFinding, 'kind' | 'limit' | 'perSecond'>[],
): Record<string, string> {
  const enough = enoughConnections(uploads);
  const writes = kinds.find(({ kind, limit }) => kind === 'manifest-write' && limit === 'cap');
  // An object is one manifest: above the cap more at once only wait.
  const useful = writes ? Math.max(1, Math.ceil(writes.perSecond)) : Number.POSITIVE_INFINITY;
  const concurrency = Math.min(Math.max(LEAST_CONCURRENCY, enough ?? DEFAULT_CONCURRENCY), useful);
  return concurrency === DEFAULT_CONCURRENCY ? {} : { concurrency: String(concurrency) };
}
