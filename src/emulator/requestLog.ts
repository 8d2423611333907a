import type { RouteName } from './faults.ts';

/** One request as the log keeps it. The numbers grow until the exchange is over. */
export interface LoggedRequest {
  readonly method: string;
  readonly route: RouteName;
  readonly path: string;
  /** 0 while there is no answer, and for good when there never was one. */
  status: number;
  /** Body bytes that were handled, not those still in a buffer. */
  requestBytes: number;
  responseBytes: number;
}

export interface RequestFilter {
  readonly method?: string;
  readonly route?: RouteName;
}

const CAPACITY = 10_000;

/** Counts requests by method and route, and keeps the latest ones. */
export class RequestLog {
  #counts = new Map<string, { method: string; route: RouteName; count: number }>();
  #ring: LoggedRequest[] = [];
  #next = 0;

  add(method: string, route: RouteName, path: string): LoggedRequest {
    const entry: LoggedRequest = { method, route, path, status: 0, requestBytes: 0, responseBytes: 0 };
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % CAPACITY;
    const key = `${method} ${route}`;
    const counter = this.#counts.get(key);
    if (counter) counter.count++;
    else this.#counts.set(key, { method, route, count: 1 });
    return entry;
  }

  count(filter: RequestFilter = {}): number {
    let sum = 0;
    for (const { method, route, count } of this.#counts.values()) {
      if (filter.method !== undefined && filter.method !== method) continue;
      if (filter.route !== undefined && filter.route !== route) continue;
      sum += count;
    }
    return sum;
  }

  /** The latest requests, oldest first. */
  entries(): readonly LoggedRequest[] {
    if (this.#ring.length < CAPACITY) return this.#ring.slice();
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }

  reset(): void {
    this.#counts = new Map();
    this.#ring = [];
    this.#next = 0;
  }
}
