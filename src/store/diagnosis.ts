import { type ErrorCode, isKlosetError } from '../errors.ts';
import type { Exchange } from '../registry/exchange.ts';
import { ping } from '../registry/ping.ts';

// What a web server, or TLS against plain HTTP, looks like to a request for a manifest or a tag list.
const SUSPICIOUS: readonly ErrorCode[] = ['CONNECTION_LOST', 'REGISTRY_FOREIGN', 'MANIFEST_INVALID'];

/** Finds out whether a host that fails from the first request on is a registry at all. */
export class Diagnosis {
  readonly #exchange: Exchange;
  #known = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** The host has answered as a registry: its failures are its own from now on. */
  answered(): void {
    this.#known = true;
  }

  /** Throws what is wrong with the host, where that explains the error better than the error itself. */
  async explain(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    if (this.#known || signal?.aborted || !isKlosetError(error) || !SUSPICIOUS.includes(error.code)) return;
    await ping(this.#exchange, signal);
    this.#known = true;
  }
}
