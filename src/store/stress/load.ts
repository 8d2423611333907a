import type { Clock } from '../../flow/clock.ts';
import { type Outcome, type Sample, type Step, summariseStep } from './step.ts';

/** One request; never rejects, but for an end that the user asked for. */
export type Shot = () => Promise<{ readonly outcome: Outcome; readonly retryAfterMs?: number | undefined }>;

/** More at once would measure this machine. */
const MAX_IN_FLIGHT = 128;

/**
 * Offers requests at a rate, whether or not earlier ones were answered: clients that wait for answers before they ask
 * again hide how long answers take. Ends when the last of them is answered.
 *
 * @param onSample called after each answer
 * @throws KlosetError CANCELLED
 */
export async function offerLoad(
  load: { readonly perSecond: number; readonly seconds: number },
  shoot: Shot,
  clock: Clock,
  signal: AbortSignal | undefined,
  onSample: (sample: Sample) => void = () => {},
): Promise<Step> {
  const startMs = clock.now();
  const count = Math.floor(load.perSecond * load.seconds);
  const samples: Sample[] = [];
  const inFlight = new Set<Promise<void>>();
  for (let i = 0; i < count; i++) {
    const dueMs = startMs + (i * 1000) / load.perSecond;
    const waitMs = dueMs - clock.now();
    // Timers are no finer than a millisecond: what is due within one goes out together.
    if (waitMs >= 1) await clock.sleep(waitMs, signal);
    if (clock.now() - startMs > load.seconds * 1000) break;
    if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
    const atMs = clock.now() - startMs;
    const one: Promise<void> = shoot()
      .then((result) => {
        const sample = { atMs, latencyMs: clock.now() - startMs - atMs, ...result };
        samples.push(sample);
        onSample(sample);
      })
      .finally(() => inFlight.delete(one));
    // Its failure is thrown where all are waited for.
    one.catch(() => {});
    inFlight.add(one);
  }
  await Promise.all(inFlight);
  return summariseStep(load.perSecond, load.seconds, samples);
}

/**
 * Sends as fast as it can after a pause, until something is refused: how many a registry accepts at once.
 *
 * @returns how many were accepted before the first refusal; `undefined` where none was refused
 */
export async function measureBurst(
  maxRequests: number,
  shoot: Shot,
  sustainedPerSecond: number,
  clock: Clock,
): Promise<number | undefined> {
  const startMs = clock.now();
  let sent = 0;
  let accepted = 0;
  let refusedAtMs: number | undefined;
  const lane = async () => {
    while (refusedAtMs === undefined && sent < maxRequests) {
      sent++;
      const { outcome } = await shoot();
      if (outcome === 'throttled') refusedAtMs ??= clock.now() - startMs;
      else if (outcome === 'accepted' && refusedAtMs === undefined) accepted++;
    }
  };
  await Promise.all(Array.from({ length: Math.min(32, maxRequests) }, lane));
  if (refusedAtMs === undefined) return undefined;
  return Math.max(0, Math.round(accepted - (sustainedPerSecond * refusedAtMs) / 1000));
}
