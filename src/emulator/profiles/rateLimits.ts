import type { Answer } from '../answers.ts';
import type { Call } from '../context.ts';
import type { Refusal } from './profile.ts';
import { refuse } from './refusals.ts';

/** The kinds of requests that registries count apart. */
type RequestKind =
  | 'manifest-read'
  | 'manifest-write'
  | 'manifest-delete'
  | 'upload-start'
  | 'upload-chunk'
  | 'upload-commit'
  | 'blob-check'
  | 'blob-read'
  | 'other';

/** A cap on some kinds of requests together. */
export interface RateCap {
  readonly kinds: readonly RequestKind[] | 'all' | 'writes';
  readonly requests: number;
  readonly perMs: number;
  /** How many may come at once after a pause; default: those of one second. */
  readonly burst?: number;
  /** `{allowed}` and `{wait}` (as Go writes a duration) may stand in the message. */
  readonly refusal: Refusal;
  readonly retryAfter?: 'seconds';
  readonly source: string;
}

const WRITES: readonly RequestKind[] = [
  'manifest-write',
  'manifest-delete',
  'upload-start',
  'upload-chunk',
  'upload-commit',
];

function kindOf(call: Pick<Call, 'method' | 'route'>): RequestKind {
  const { method, route } = call;
  const read = method === 'GET' || method === 'HEAD';
  if (route === 'manifest')
    return read ? 'manifest-read' : method === 'PUT' ? 'manifest-write' : 'manifest-delete';
  if (route === 'upload-start') return 'upload-start';
  if (route === 'upload-session') {
    return method === 'PATCH' ? 'upload-chunk' : method === 'PUT' ? 'upload-commit' : 'other';
  }
  if (route === 'blob' && read) return method === 'HEAD' ? 'blob-check' : 'blob-read';
  return 'other';
}

/** Counts requests against caps: each is a bucket that holds its burst, one request at least. */
export class RateLimiter {
  readonly #buckets: { cap: RateCap; perMs: number; size: number; tokens: number; atMs: number }[];
  readonly #now: () => number;

  /** @param scale multiplies every cap, so that a test meets the caps of a cloud with a few requests */
  constructor(caps: readonly RateCap[], scale: number, now: () => number) {
    this.#now = now;
    this.#buckets = caps.map((cap) => {
      const perMs = (cap.requests * scale) / cap.perMs;
      const size = Math.max(1, cap.burst === undefined ? perMs * 1000 : cap.burst * scale);
      return { cap, perMs, size, tokens: size, atMs: now() };
    });
  }

  /** Takes a token from every cap that counts this request, or answers why not. */
  admit(call: Pick<Call, 'method' | 'route'>): Answer | undefined {
    const kind = kindOf(call);
    const counted = this.#buckets.filter(({ cap }) => counts(cap, kind));
    const nowMs = this.#now();
    for (const bucket of counted) {
      bucket.tokens = Math.min(bucket.size, bucket.tokens + (nowMs - bucket.atMs) * bucket.perMs);
      bucket.atMs = nowMs;
    }
    const empty = counted.find((bucket) => bucket.tokens < 1);
    if (empty) {
      const waitMs = (1 - empty.tokens) / empty.perMs;
      return refuse(
        empty.cap.refusal,
        { wait: goDuration(waitMs), allowed: `${Math.round(empty.perMs * 60_000)}/minute` },
        empty.cap.retryAfter === 'seconds' ? { 'Retry-After': String(Math.ceil(waitMs / 1000)) } : {},
      );
    }
    for (const bucket of counted) bucket.tokens--;
    return undefined;
  }
}

function counts({ kinds }: RateCap, kind: RequestKind): boolean {
  if (kinds === 'all') return true;
  return (kinds === 'writes' ? WRITES : kinds).includes(kind);
}

function goDuration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(3)}s`;
  return ms >= 1 ? `${ms.toFixed(3)}ms` : `${(ms * 1000).toFixed(3)}µs`;
}
