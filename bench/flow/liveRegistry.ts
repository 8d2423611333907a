/** The embedded registry with rate caps of its own, as a fault plan: the answers of a registry, not of a model. */
import type { Exchange, FaultAction } from '../../src/emulator/index.ts';

export interface LiveCap {
  readonly perSecond: number;
  readonly burst: number;
}

export interface LiveCaps {
  readonly manifests: LiveCap;
  readonly sessions: LiveCap;
  readonly retryAfterSeconds?: number | undefined;
}

/** One request that a cap applied to. */
export interface Counted {
  readonly ms: number;
  readonly kind: 'manifests' | 'sessions';
  readonly accepted: boolean;
  /** The repository it was for: one per client. */
  readonly repository: string;
}

export class CapPlan {
  readonly counted: Counted[] = [];
  readonly #buckets: Record<Counted['kind'], { cap: LiveCap; tokens: number; ms: number }>;
  readonly #retryAfterSeconds: number | undefined;

  constructor({ manifests, sessions, retryAfterSeconds }: LiveCaps) {
    const bucket = (cap: LiveCap) => ({ cap, tokens: cap.burst, ms: performance.now() });
    this.#buckets = { manifests: bucket(manifests), sessions: bucket(sessions) };
    this.#retryAfterSeconds = retryAfterSeconds;
  }

  /** From now on another one. */
  setManifestCap(cap: LiveCap): void {
    const bucket = this.#buckets.manifests;
    this.#fill(bucket);
    bucket.cap = cap;
    bucket.tokens = Math.min(bucket.tokens, cap.burst);
  }

  before = ({ method, route, repository = '' }: Exchange): FaultAction | undefined => {
    const kind =
      method === 'PUT' && route === 'manifest'
        ? 'manifests'
        : method === 'POST' && route === 'upload-start'
          ? 'sessions'
          : undefined;
    if (!kind) return undefined;
    const bucket = this.#buckets[kind];
    this.#fill(bucket);
    const accepted = bucket.tokens >= 1;
    if (accepted) bucket.tokens--;
    this.counted.push({ ms: performance.now(), kind, accepted, repository });
    if (accepted) return undefined;
    const headers: Record<string, string> =
      this.#retryAfterSeconds === undefined ? {} : { 'Retry-After': String(this.#retryAfterSeconds) };
    return { kind: 'respond', status: 429, headers, body: '{"errors":[{"code":"TOOMANYREQUESTS"}]}' };
  };

  /** Manifests between two moments, of all or of one client. */
  manifests(fromMs: number, toMs: number, repository?: string): { accepted: number; refused: number } {
    const within = this.counted.filter(
      (one) =>
        one.kind === 'manifests' &&
        one.ms >= fromMs &&
        one.ms < toMs &&
        (repository === undefined || one.repository === repository),
    );
    const accepted = within.filter((one) => one.accepted).length;
    return { accepted, refused: within.length - accepted };
  }

  #fill(bucket: { cap: LiveCap; tokens: number; ms: number }): void {
    const nowMs = performance.now();
    bucket.tokens = Math.min(
      bucket.cap.burst,
      bucket.tokens + ((nowMs - bucket.ms) / 1000) * bucket.cap.perSecond,
    );
    bucket.ms = nowMs;
  }
}
