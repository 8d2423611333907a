/** A failure after which nothing was tried for this long, in milliseconds, is not the beginning of the next one. */
const STALE_MS = 60_000;

/**
 * Whether a host answers. One request that fails again and again while others are served has a fault of its own; when
 * nothing is served any more, the host is down, and all who wait for it share one time limit.
 */
export class HostHealth {
  #answered = false;
  #served = 0;
  #failingSinceMs: number | undefined;
  #failedMs = 0;

  /** True once it has answered anything at all in this process: then it exists, and a failure may pass. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Requests that went well so far: compared with an earlier count, it says whether others are served. */
  get served(): number {
    return this.#served;
  }

  /** An answer of any kind. @param well neither a server error nor a refusal for being too many */
  heard(well: boolean): void {
    this.#answered = true;
    if (!well) return;
    this.#served++;
    this.#failingSinceMs = undefined;
  }

  /** No answer, or a server error. */
  failed(nowMs: number): void {
    if (this.#failingSinceMs === undefined || nowMs - this.#failedMs > STALE_MS) this.#failingSinceMs = nowMs;
    this.#failedMs = nowMs;
  }

  /** For how long nothing has gone well although it was tried, in milliseconds; 0 while all is well. */
  downMs(nowMs: number): number {
    return this.#failingSinceMs === undefined ? 0 : nowMs - this.#failingSinceMs;
  }
}
