/** Registries that exist as formulas: what they accept, refuse and lose, on a clock that jumps. */
import type { Clock } from '../../src/flow/clock.ts';

export interface ModelCap {
  readonly kinds: readonly string[];
  readonly perSecond: number;
  readonly burst: number;
  /** From this moment on it is another one, in milliseconds. */
  readonly laterMs?: number;
  readonly laterPerSecond?: number;
  /** What a refusal says in Retry-After, in milliseconds; nothing when absent. */
  readonly retryAfterMs?: number;
}

export interface ModelSettings {
  readonly name: string;
  readonly caps: readonly ModelCap[];
  readonly roundTripMs: number;
  /** What the registry takes for one request beyond its bytes, up to this, in milliseconds. */
  readonly workMs: number;
  /** The upload bandwidth that all requests share. */
  readonly mibPerSecond: number;
  /** Share of requests that are answered 503, drawn from a seeded generator. */
  readonly errorShare: number;
}

export interface ModelAnswer {
  readonly status: number;
  readonly retryAfterMs?: number | undefined;
}

/** One request as the registry has seen it. */
export interface Seen {
  readonly ms: number;
  readonly kind: string;
  readonly status: number;
  readonly client: string;
}

const MIB = 1024 * 1024;

/** Mulberry32: small, seeded, and good enough to draw from. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export class ModelRegistry {
  readonly settings: ModelSettings;
  readonly seen: Seen[] = [];
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #buckets: { readonly cap: ModelCap; tokens: number; ms: number }[];
  /** When the shared link has carried what was handed to it. */
  #linkFreeMs = 0;
  #bulk = 0;
  /** The most uploads that were under way at once. */
  peakBulk = 0;

  constructor(clock: Clock, settings: ModelSettings, seed = 1) {
    this.#clock = clock;
    this.settings = settings;
    this.#random = seededRandom(seed);
    this.#buckets = settings.caps.map((cap) => ({ cap, tokens: cap.burst, ms: 0 }));
  }

  async request(kind: string, bytes: number, client = ''): Promise<ModelAnswer> {
    const { roundTripMs, workMs, mibPerSecond, errorShare } = this.settings;
    if (bytes > 0) this.peakBulk = Math.max(this.peakBulk, ++this.#bulk);
    try {
      await this.#clock.sleep((roundTripMs / 2) * (0.9 + 0.2 * this.#random()));
      if (bytes > 0 && Number.isFinite(mibPerSecond)) {
        const startMs = Math.max(this.#clock.now(), this.#linkFreeMs);
        this.#linkFreeMs = startMs + (bytes / MIB / mibPerSecond) * 1000;
        await this.#clock.sleep(this.#linkFreeMs - this.#clock.now());
      }
      const answer = this.#judge(kind, errorShare);
      this.seen.push({ ms: this.#clock.now(), kind, status: answer.status, client });
      const work = answer.status === 429 ? 0 : workMs * this.#random();
      await this.#clock.sleep(work + (roundTripMs / 2) * (0.9 + 0.2 * this.#random()));
      return answer;
    } finally {
      if (bytes > 0) this.#bulk--;
    }
  }

  #judge(kind: string, errorShare: number): ModelAnswer {
    for (const bucket of this.#buckets) {
      const { cap } = bucket;
      if (!cap.kinds.includes(kind)) continue;
      this.#fill(bucket);
      if (bucket.tokens < 1) return { status: 429, retryAfterMs: cap.retryAfterMs };
      bucket.tokens--;
    }
    return { status: this.#random() < errorShare ? 503 : 201 };
  }

  #fill(bucket: { readonly cap: ModelCap; tokens: number; ms: number }): void {
    const { cap } = bucket;
    const nowMs = this.#clock.now();
    bucket.tokens = Math.min(cap.burst, bucket.tokens + tokensBetween(cap, bucket.ms, nowMs));
    bucket.ms = nowMs;
  }
}

/** What a cap allows in a stretch of time, its burst aside. */
export function tokensBetween(cap: ModelCap, fromMs: number, toMs: number): number {
  const { perSecond, laterMs = Number.POSITIVE_INFINITY, laterPerSecond = perSecond } = cap;
  const before = Math.max(0, Math.min(toMs, laterMs) - Math.min(fromMs, laterMs));
  const after = Math.max(0, toMs - fromMs - before);
  return (before * perSecond + after * laterPerSecond) / 1000;
}
