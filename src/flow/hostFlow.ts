import { type Clock, systemClock } from './clock.ts';
import type { Settlement } from './concurrencyWindow.ts';
import type { FlowHooks, WaitReason } from './flowEvents.ts';
import { HostGate } from './hostGate.ts';
import { HostHealth } from './hostHealth.ts';
import { KindLane, type WaitedFor } from './kindLane.ts';
import { RetryBudget } from './retryBudget.ts';
import { TokenBucket } from './tokenBucket.ts';

/** A cap that the host documents. */
export interface DocumentedCap {
  readonly kinds: readonly string[];
  readonly perSecond: number;
  /** Requests that may come at once after a pause. */
  readonly burst: number;
}

/** The right to send one request; to be settled once it is over. */
export interface Permit {
  readonly lane: KindLane;
  readonly bulk: boolean;
  readonly rateEpoch: number;
  readonly windowEpoch: number;
  readonly waitedFor: WaitedFor;
}

/** What became of a request. */
export interface Settled {
  readonly settlement: Settlement;
  /** What came through: bytes of a bulk request, else 1. */
  readonly units: number;
  readonly retryAfterMs?: number | undefined;
}

/** Of a documented cap: the rest is for clocks that differ and for requests that arrive closer than they left. */
const DOCUMENTED_SHARE = 0.97;
const DOCUMENTED_BURST_SHARE = 0.5;
/** Who asks for more is not waited for here: the retry policy ends such an operation. In milliseconds. */
const MAX_GATE_MS = 15 * 60_000;

/**
 * Flow control for one host, shared by all that a process sends there. In this order a request passes
 *
 * 1. classification and retry (attempts.ts), outside of everything here: one that sleeps holds no place;
 * 2. the gate, since a host that said when to come back means everything, and there is no use in taking tokens before;
 * 3. the token buckets, documented and learned: waiting for a token holds no place either;
 * 4. the window, last, so that its count is that of requests under way;
 * 5. the gate again, which may have been closed while the request waited for its place; then the transport.
 *
 * Until the host refuses something for the first time, and where it documents no cap, all of this is a count of the
 * requests under way.
 */
export class HostFlow {
  readonly health = new HostHealth();
  readonly retries: RetryBudget;
  readonly gate: HostGate;
  readonly #clock: Clock;
  readonly #lanes = new Map<string, KindLane>();
  #caps: readonly { readonly kinds: readonly string[]; readonly bucket: TokenBucket }[] = [];
  #gateUsed = false;

  constructor(options: { readonly clock?: Clock | undefined; readonly random?: () => number } = {}) {
    this.#clock = options.clock ?? systemClock;
    this.gate = new HostGate(this.#clock, options.random);
    this.retries = new RetryBudget(this.#clock);
  }

  /** The limits that the host documents; those of the first call count. */
  document(caps: readonly DocumentedCap[]): void {
    if (this.#caps.length > 0) return;
    this.#caps = caps.map(({ kinds, perSecond, burst }) => ({
      kinds,
      bucket: new TokenBucket(
        this.#clock,
        perSecond * DOCUMENTED_SHARE,
        Math.max(1, burst * DOCUMENTED_BURST_SHARE),
      ),
    }));
    for (const lane of this.#lanes.values()) lane.documented = this.#capsOf(lane.kind);
  }

  /** Requests of a kind per second that are learned to be accepted; Infinity while none was refused. */
  learnedPerSecond(kind: string): number {
    return this.#lane(kind).learner.perSecond;
  }

  /** A permit at once, or undefined when the request has to wait. */
  tryEnter(kind: string, bulk: boolean): Permit | undefined {
    const lane = this.#lane(kind);
    if (!lane.isFree || (this.#gateUsed && !this.gate.isOpen())) return undefined;
    const window = bulk ? lane.bulk : lane.small;
    return window.tryEnter() ? permitOf(lane, bulk, 'nothing') : undefined;
  }

  /** Resolves when the request may be sent. @throws KlosetError CANCELLED */
  async enter(kind: string, bulk: boolean, signal?: AbortSignal, hooks: FlowHooks = {}): Promise<Permit> {
    const lane = this.#lane(kind);
    const window = bulk ? lane.bulk : lane.small;
    const timed = async <T>(reason: WaitReason, waiting: Promise<T>): Promise<T> => {
      const startMs = this.#clock.now();
      const result = await waiting;
      const ms = this.#clock.now() - startMs;
      if (ms > 0) hooks.onWait?.({ kind, reason, ms });
      return result;
    };
    if (!this.gate.isOpen()) await timed('retry-after', this.gate.pass(signal));
    const waitedFor = await timed('rate', lane.takeTokens(signal));
    for (;;) {
      if (!window.tryEnter()) await timed('window', window.enter(signal));
      if (this.gate.isOpen()) return permitOf(lane, bulk, waitedFor);
      window.leave('neutral', window.epoch, 0, this.#clock.now());
      await timed('retry-after', this.gate.pass(signal));
    }
  }

  /** The request is over. */
  settle(permit: Permit, settled: Settled, hooks: FlowHooks = {}): void {
    const { lane, bulk } = permit;
    const { settlement, units, retryAfterMs } = settled;
    const nowMs = this.#clock.now();
    const window = bulk ? lane.bulk : lane.small;
    window.leave(settlement, permit.windowEpoch, units, nowMs, permit.waitedFor !== 'nothing');
    if (settlement === 'served') {
      this.health.heard(true);
      this.retries.succeeded();
      lane.accepted(nowMs, permit.waitedFor);
    } else if (settlement === 'throttled') {
      this.health.heard(false);
      lane.refused(nowMs, permit.rateEpoch);
      hooks.onThrottle?.({ kind: lane.kind, retryAfterMs, perSecond: lane.learner.perSecond });
    } else if (settlement !== 'neutral') {
      if (settlement === 'failed') this.health.heard(false);
      this.health.failed(nowMs);
    }
    if (retryAfterMs !== undefined && retryAfterMs > 0 && retryAfterMs <= MAX_GATE_MS) {
      this.#gateUsed = true;
      this.gate.close(retryAfterMs);
    }
  }

  #lane(kind: string): KindLane {
    let lane = this.#lanes.get(kind);
    if (!lane) {
      lane = new KindLane(kind, this.#clock);
      lane.documented = this.#capsOf(kind);
      this.#lanes.set(kind, lane);
    }
    return lane;
  }

  #capsOf(kind: string): readonly TokenBucket[] {
    return this.#caps.filter(({ kinds }) => kinds.includes(kind)).map(({ bucket }) => bucket);
  }
}

function permitOf(lane: KindLane, bulk: boolean, waitedFor: WaitedFor): Permit {
  const { epoch } = bulk ? lane.bulk : lane.small;
  return { lane, bulk, rateEpoch: lane.learner.epoch, windowEpoch: epoch, waitedFor };
}
