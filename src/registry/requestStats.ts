import type { RequestKind, Transport } from './transport.ts';

/** Counts of what went over the wire. */
export interface RequestStats {
  /** Requests made, by kind; kinds without a request are absent. */
  readonly requests: Readonly<Partial<Record<RequestKind, number>>>;
  readonly retries: number;
}

/** Counts requests as they leave: retries and fallbacks count, as they do at the registry. */
export class RequestCounter {
  readonly #requests: Partial<Record<RequestKind, number>> = {};
  #retries = 0;

  counting(next: Transport): Transport {
    return (request) => {
      this.#requests[request.kind] = (this.#requests[request.kind] ?? 0) + 1;
      return next(request);
    };
  }

  countRetry(): void {
    this.#retries++;
  }

  snapshot(): RequestStats {
    return { requests: { ...this.#requests }, retries: this.#retries };
  }
}
