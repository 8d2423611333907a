import type { RequestKind, Transport } from './transport.ts';

/** Counts of what went over the wire. */
export interface RequestStats {
  /** Requests made, by kind; kinds without a request are absent. */
  readonly requests: Readonly<Partial<Record<RequestKind, number>>>;
  readonly retries: number;
  /** Requests that were answered with 429. */
  readonly throttled: number;
}

/** Counts requests as they leave: retries and fallbacks count, as they do at the registry. */
export class RequestCounter {
  readonly #requests: Partial<Record<RequestKind, number>> = {};
  #retries = 0;
  #throttled = 0;

  counting(next: Transport): Transport {
    return async (request) => {
      this.#requests[request.kind] = (this.#requests[request.kind] ?? 0) + 1;
      const answer = await next(request);
      if (answer.status === 429) this.#throttled++;
      return answer;
    };
  }

  countRetry(): void {
    this.#retries++;
  }

  snapshot(): RequestStats {
    return { requests: { ...this.#requests }, retries: this.#retries, throttled: this.#throttled };
  }
}
