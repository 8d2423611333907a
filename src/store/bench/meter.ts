import { KlosetError } from '../../errors.ts';
import type { Clock } from '../../flow/clock.ts';
import type { TransportPolicy } from '../../registry/compose.ts';
import type { RegistryRequest } from '../../registry/transport.ts';
import { StressBudget } from '../stress/budget.ts';
import type { BenchBounds } from './plan.ts';

/** The bound that ended a run. */
export type Bound = 'requests' | 'bytes' | 'seconds';

/** What a meter has to know of a run. */
export interface Metered {
  /** Requests that taking everything away will need. */
  owed(request?: RegistryRequest): number;
  /** Length of a blob of the run's own. */
  bytesOf(digest: string): number | undefined;
  /** Requests that went over the wire, logins included. */
  sent(): number;
  /** The registry's. */
  readonly origin: string;
}

/**
 * Refuses what would pass the bounds, whatever the plan was: repetitions and logins are counted as they come. Taking
 * away is never refused; room for it is kept.
 */
export class Meter {
  readonly #budget: StressBudget;
  readonly #run: Metered;
  readonly #stop = new AbortController();
  #admitted = 0;
  #unforeseen = 0;
  #cutShort: Bound | undefined;
  /** While it is true, everything is let through. */
  takesAway = false;

  constructor(bounds: BenchBounds, clock: Clock, run: Metered) {
    this.#budget = new StressBudget(bounds, clock);
    this.#run = run;
  }

  /** Aborted once a bound was reached. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get cutShort(): Bound | undefined {
    return this.#cutShort;
  }

  /** Bytes of payload that were sent and asked for. */
  get bytes(): number {
    return this.#budget.bytes;
  }

  /** Ends the run. */
  reached(bound: Bound): KlosetError {
    this.#cutShort ??= bound;
    const error = new KlosetError('CANCELLED', `the bound on ${bound} is reached`);
    this.#stop.abort(error);
    return error;
  }

  readonly around: TransportPolicy = (next) => async (request) => {
    this.#admit(request);
    return next(request);
  };

  #admit(request: RegistryRequest): void {
    // Logins happen below: they show once they were made.
    const unforeseen = this.#run.sent() - this.#admitted;
    if (unforeseen > this.#unforeseen) {
      this.#budget.spend(unforeseen - this.#unforeseen);
      this.#unforeseen = unforeseen;
    }
    this.#admitted++;
    const bytes = this.#payloadOf(request);
    // A session that nobody cancels would be left behind.
    if (this.takesAway || request.kind === 'upload-cancel') {
      this.#budget.spend(1);
      return;
    }
    const left = this.#budget.requestsLeft - this.#run.owed(request);
    const bound =
      this.#budget.secondsLeft <= 0
        ? 'seconds'
        : left < 1
          ? 'requests'
          : bytes > this.#budget.bytesLeft
            ? 'bytes'
            : undefined;
    if (bound) throw this.reached(bound);
    this.#budget.spend(1, bytes);
  }

  #payloadOf({ kind, url, headers, body }: RegistryRequest): number {
    if (kind === 'upload-chunk') return body?.bytes ?? 0;
    const digest = url.searchParams.get('digest');
    // The configuration blob of all manifests is none of the run's own, and too short to matter.
    if (kind === 'upload-commit' && digest !== null && this.#run.bytesOf(digest) !== undefined)
      return body?.bytes ?? 0;
    // What a redirect leads to was counted with the request that led there.
    if (kind !== 'blob-read' || url.origin !== this.#run.origin) return 0;
    const whole = this.#run.bytesOf(lastPart(url));
    if (whole === undefined) return 0;
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers?.range ?? '') ?? [];
    return (last ? Number(last) + 1 : whole) - Number(first ?? 0);
  }
}

/** What a path ends with: a tag or a digest. */
export function lastPart(url: URL): string {
  return decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
}
