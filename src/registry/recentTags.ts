import type { Clock } from '../flow/clock.ts';

/** How long after a write a registry is suspected of not showing it yet, in milliseconds. */
const RECENT_MS = 10_000;
/** Together three seconds: GHCR has answered 404 for a manifest for some seconds after it took it. */
const DELAYS_MS = [100, 200, 400, 800, 1500];
/** Above it, those that are recent no more are forgotten. */
const PRUNE_ABOVE = 1000;

/** The tags that this process has just written: a registry that says that one is not there may only be late. */
export class RecentTags {
  readonly #clock: Clock;
  readonly #writtenAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  written(tag: string): void {
    const nowMs = this.#clock.now();
    // Again at the end of the order in which they are forgotten.
    this.#writtenAtMs.delete(tag);
    this.#writtenAtMs.set(tag, nowMs);
    if (this.#writtenAtMs.size <= PRUNE_ABOVE) return;
    for (const [old, atMs] of this.#writtenAtMs) {
      if (nowMs - atMs < RECENT_MS) return;
      this.#writtenAtMs.delete(old);
    }
  }

  deleted(tag: string): void {
    this.#writtenAtMs.delete(tag);
  }

  /**
   * Asks, and asks again for some seconds while a tag that was just written is not there. What anybody else wrote, or
   * nobody, is asked for once: "not there" is the usual answer then.
   */
  async ask<T>(
    tag: string,
    attempt: () => Promise<T>,
    isAbsent: (answer: T) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    let answer = await attempt();
    const atMs = this.#writtenAtMs.get(tag);
    if (atMs === undefined || this.#clock.now() - atMs >= RECENT_MS) return answer;
    for (const delayMs of DELAYS_MS) {
      if (!isAbsent(answer)) break;
      await this.#clock.sleep(delayMs, signal);
      answer = await attempt();
    }
    return answer;
  }
}
