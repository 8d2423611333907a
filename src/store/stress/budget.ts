import type { Clock } from '../../flow/clock.ts';

/** The most that a stress run may do. */
export interface StressBounds {
  readonly maxRequests: number;
  readonly maxBytes: number;
  readonly maxSeconds: number;
}

/** What of the bounds is left. Cleaning up is not counted: it has to be possible whatever was spent. */
export class StressBudget {
  readonly #bounds: StressBounds;
  readonly #clock: Clock;
  readonly #startMs: number;
  #requests = 0;
  #bytes = 0;

  constructor(bounds: StressBounds, clock: Clock) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#startMs = clock.now();
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get requestsLeft(): number {
    return this.#bounds.maxRequests - this.#requests;
  }

  get bytesLeft(): number {
    return this.#bounds.maxBytes - this.#bytes;
  }

  get secondsLeft(): number {
    return this.#bounds.maxSeconds - (this.#clock.now() - this.#startMs) / 1000;
  }

  /** Takes a request and its bytes, or nothing where they are not left. */
  spend(requests: number, bytes = 0): boolean {
    if (requests > this.requestsLeft || bytes > this.bytesLeft || this.secondsLeft <= 0) return false;
    this.#requests += requests;
    this.#bytes += bytes;
    return true;
  }
}
