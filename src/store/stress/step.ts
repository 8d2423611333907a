/** What became of one request. */
export type Outcome = 'accepted' | 'throttled' | 'failed';

/** One request of a load. */
export interface Sample {
  /** When it was sent, in milliseconds since the load began. */
  readonly atMs: number;
  readonly latencyMs: number;
  readonly outcome: Outcome;
  /** What the registry asked to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** A load of one rate, summed up. */
export interface Step {
  readonly offeredPerSecond: number;
  readonly seconds: number;
  readonly sent: number;
  readonly accepted: number;
  readonly throttled: number;
  readonly failed: number;
  /** Accepted requests per second in the second half, when a burst that was allowed at first is used up. */
  readonly sustainedPerSecond: number;
  /** Latencies of what was accepted, in milliseconds; 0 where nothing was. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** The longest wait that was asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** Sums up the samples of a load of one rate, in any order. */
export function summariseStep(offeredPerSecond: number, seconds: number, samples: readonly Sample[]): Step {
  const of = (outcome: Outcome) => samples.filter((sample) => sample.outcome === outcome);
  const accepted = of('accepted');
  const halfMs = (seconds * 1000) / 2;
  const late = accepted.filter(({ atMs }) => atMs >= halfMs).length;
  const latencies = accepted.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const waits = samples.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  return {
    offeredPerSecond,
    seconds,
    sent: samples.length,
    accepted: accepted.length,
    throttled: of('throttled').length,
    failed: of('failed').length,
    sustainedPerSecond: late / (seconds / 2),
    latencyMs: {
      p50: percentile(latencies, 0.5),
      p95: percentile(latencies, 0.95),
      p99: percentile(latencies, 0.99),
    },
    retryAfterMs: waits.length > 0 ? Math.max(...waits) : undefined,
  };
}

/** The value below which a share of the sorted values lies; 0 where there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? sorted[0] ?? 0;
}
