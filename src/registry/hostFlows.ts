import type { Clock } from '../flow/clock.ts';
import { HostFlow } from '../flow/hostFlow.ts';

/**
 * The flow control of each host that a process talks to, by origin. Stores at one registry share it, such as both
 * ends of a copy: a registry counts what comes from here, whichever store it is for.
 */
export class HostFlows {
  readonly #hosts = new Map<string, HostFlow>();
  readonly #clock: Clock | undefined;

  constructor(clock?: Clock) {
    this.#clock = clock;
  }

  /** @param origin as in `URL.origin` */
  of(origin: string): HostFlow {
    let host = this.#hosts.get(origin);
    if (!host) {
      host = new HostFlow({ clock: this.#clock });
      this.#hosts.set(origin, host);
    }
    return host;
  }
}

/** What all stores of the process share unless they are given something else. */
export const sharedHostFlows = new HostFlows();
