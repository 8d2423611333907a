/** Ways to decide when a request may be sent: ours, and those of others, by their published constants. */
import { KlosetError } from '../../src/errors.ts';
import type { Clock } from '../../src/flow/clock.ts';
import { type DocumentedCap, HostFlow } from '../../src/flow/hostFlow.ts';
import { DEFAULT_RETRY_POLICY, withRetry } from '../../src/flow/retry.ts';
import { type ModelAnswer, seededRandom } from './modelRegistry.ts';

/** Sends until it is accepted. */
interface Controller {
  readonly name: string;
  send(kind: string, bytes: number, attempt: () => Promise<ModelAnswer>): Promise<void>;
  /** Requests of a kind that may be under way at once, or per second, as the controller thinks now. */
  limits?(kind: string): { readonly perSecond?: number; readonly window?: number };
}

export type MakeController = (clock: Clock, seed: number) => Controller;

const BULK_BYTES = 64 * 1024;

/** The product's own: the same HostFlow and the same retry as in the transport. */
export function ours(name = 'kloset-oci', caps: readonly DocumentedCap[] = []): MakeController {
  return (clock, seed) => {
    const random = seededRandom(seed);
    const host = new HostFlow({ clock, random });
    host.document(caps);
    return {
      name,
      limits: (kind) => ({ perSecond: host.learnedPerSecond(kind) }),
      send: async (kind, bytes, attempt) => {
        const bulk = bytes > BULK_BYTES;
        const once = async () => {
          const permit = host.tryEnter(kind, bulk) ?? (await host.enter(kind, bulk));
          const { status, retryAfterMs } = await attempt();
          const settlement = status === 429 ? 'throttled' : status >= 500 ? 'failed' : 'served';
          host.settle(permit, { settlement, units: bulk ? bytes : 1, retryAfterMs });
          if (status === 201) return;
          throw new KlosetError(status === 429 ? 'RATE_LIMITED' : 'REGISTRY_FAILED', `${status}`, {
            status,
            ...(retryAfterMs !== undefined && { retryAfterMs }),
          });
        };
        await withRetry(once, { policy: DEFAULT_RETRY_POLICY, clock, host, random });
      },
    };
  };
}

/** Nothing but the workers, with the backoff of oras-go: 250 ms doubled up to 3 s, a tenth of jitter. */
export const fixed: MakeController = (clock, seed) => {
  const random = seededRandom(seed);
  return {
    name: 'fixed',
    send: async (_kind, _bytes, attempt) => {
      for (let tries = 0; ; tries++) {
        const { status, retryAfterMs = 0 } = await attempt();
        if (status === 201) return;
        const own = Math.min(250 * 2 ** tries, 3000) * (0.9 + 0.2 * random());
        await clock.sleep(Math.max(own, Math.min(retryAfterMs, 3000)));
      }
    },
  };
};

/** A window per kind as in ocync: from 1, plus 1/w per success, halved once per 100 ms; 1 s doubled between tries. */
export const aimd: MakeController = (clock, seed) => {
  const random = seededRandom(seed);
  const windows = new Map<string, { w: number; inFlight: number; cutMs: number; line: (() => void)[] }>();
  const windowOf = (kind: string) => {
    const window = windows.get(kind) ?? { w: 1, inFlight: 0, cutMs: Number.NEGATIVE_INFINITY, line: [] };
    windows.set(kind, window);
    return window;
  };
  return {
    name: 'AIMD',
    limits: (kind) => ({ window: windowOf(kind).w }),
    send: async (kind, _bytes, attempt) => {
      const window = windowOf(kind);
      const wake = () => {
        while (window.inFlight < Math.ceil(window.w) && window.line.length > 0) {
          window.inFlight++;
          window.line.shift()?.();
        }
      };
      for (let tries = 0; ; tries++) {
        if (window.inFlight < Math.ceil(window.w)) window.inFlight++;
        else await new Promise<void>((resolve) => window.line.push(resolve));
        const { status } = await attempt();
        if (status === 201) window.w = Math.min(50, window.w + 1 / window.w);
        else if (status === 429 && clock.now() - window.cutMs >= 100) {
          window.w = Math.max(1, window.w / 2);
          window.cutMs = clock.now();
        }
        window.inFlight--;
        wake();
        if (status === 201) return;
        await clock.sleep(Math.min(1000 * 2 ** tries, 300_000) * (0.75 + 0.5 * random()));
      }
    },
  };
};

const BETA = 0.7;
const SCALE = 0.4;
const SMOOTH = 0.8;

/** The adaptive mode of the AWS SDKs: a token bucket whose rate follows a cubic, one for all kinds. */
export const awsAdaptive: MakeController = (clock, seed) => {
  const random = seededRandom(seed);
  let enabled = false;
  let fill = 0;
  let capacity = 0;
  let tokens = 0;
  let filledMs = 0;
  let lastMax = 0;
  let throttledS = 0;
  let measured = 0;
  let bucketS = 0;
  let count = 0;
  const nowS = () => clock.now() / 1000;
  const refill = () => {
    tokens = Math.min(capacity, tokens + ((clock.now() - filledMs) / 1000) * fill);
    filledMs = clock.now();
  };
  const measure = () => {
    const halfS = Math.floor(nowS() * 2) / 2;
    count++;
    if (halfS > bucketS) {
      measured = (count / (halfS - bucketS)) * SMOOTH + measured * (1 - SMOOTH);
      count = 0;
      bucketS = halfS;
    }
  };
  const update = (throttled: boolean) => {
    measure();
    let rate: number;
    if (throttled) {
      const limit = enabled ? Math.min(measured, fill) : measured;
      lastMax = limit;
      throttledS = nowS();
      rate = limit * BETA;
      enabled = true;
    } else {
      const k = Math.cbrt((lastMax * (1 - BETA)) / SCALE);
      rate = SCALE * (nowS() - throttledS - k) ** 3 + lastMax;
    }
    refill();
    fill = Math.max(Math.min(rate, 2 * measured), 0.5);
    capacity = Math.max(fill, 1);
    tokens = Math.min(tokens, capacity);
  };
  return {
    name: 'AWS adaptive',
    limits: () => (enabled ? { perSecond: fill } : {}),
    send: async (_kind, _bytes, attempt) => {
      for (let tries = 0; ; tries++) {
        if (enabled) {
          refill();
          while (tokens < 1) {
            await clock.sleep(((1 - tokens) / fill) * 1000 + 1e-6);
            refill();
          }
          tokens--;
        }
        const { status } = await attempt();
        update(status === 429);
        if (status === 201) return;
        const base = status === 429 ? 500 : 100;
        await clock.sleep(random() * Math.min(base * 2 ** tries, 20_000));
      }
    },
  };
};
