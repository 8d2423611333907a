import { Coordinator, type EngineOptions } from '../engine/coordinator.ts';
import type { KlosetError } from '../errors.ts';
import type { Clock } from '../flow/clock.ts';
import type { FlowHooks } from '../flow/flowEvents.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '../flow/retry.ts';
import { composeTransport } from '../registry/compose.ts';
import { makeExchange } from '../registry/exchange.ts';
import { flowPolicy } from '../registry/flowPolicy.ts';
import { HostFlows, sharedHostFlows } from '../registry/hostFlows.ts';
import type { RateCap } from '../registry/profiles.ts';
import { parseReference } from '../registry/reference.ts';
import { RequestCounter, type RequestStats } from '../registry/requestStats.ts';
import { type HttpOptions, httpTransport } from '../registry/undiciTransport.ts';
import { OciStore } from './ociStore.ts';

/** Settings of a store in a registry. */
export interface OciStoreOptions extends EngineOptions {
  /** TLS or plain HTTP; by default plain HTTP for loopback hosts and TLS for all others. */
  readonly useTls?: boolean | undefined;
  /**
   * Whether a put first asks the registry for the object, and sends nothing where it has the same content: a request
   * that is wasted on objects of new names, which is all that Plakar writes.
   * @default true
   */
  readonly looksBeforePut?: boolean | undefined;
  readonly http?: HttpOptions | undefined;
  readonly retry?: RetryPolicy | undefined;
  /**
   * How long to go on without any progress while the registry is down or throttles, in milliseconds.
   * @default 900000
   */
  readonly noProgressTimeoutMs?: number | undefined;
  /** Documented limits of the registry, which are kept from the first request on. */
  readonly caps?: readonly RateCap[] | undefined;
  /** Flow control shared with other stores; by default, and without a clock of its own, that of the whole process. */
  readonly flows?: HostFlows | undefined;
  /** Called when the registry throttles this store and when a request of it has to wait. */
  readonly flowHooks?: FlowHooks | undefined;
  readonly clock?: Clock | undefined;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
}

/** An open store with what a program around it asks for. */
export interface OpenOciStore {
  readonly store: OciStore;
  readonly coordinator: Coordinator;
  stats(): RequestStats;
  /** Ends connections and threads. */
  close(): Promise<void>;
}

/**
 * Opens a store in a registry. Makes no request: what is wrong shows at the first operation.
 *
 * @param location `oci://HOST[:PORT]/REPOSITORY`
 * @throws KlosetError LOCATION_INVALID
 */
export function openOciStore(location: string, options: OciStoreOptions = {}): OpenOciStore {
  const reference = parseReference(location, { useTls: options.useTls });
  const counter = new RequestCounter();
  const http = httpTransport(options.http);
  const flows = options.flows ?? (options.clock ? new HostFlows(options.clock) : sharedHostFlows);
  const host = flows.of(reference.origin);
  if (options.caps) host.document(options.caps);
  const flow = flowPolicy(flows, options.flowHooks);
  const exchange = makeExchange(reference, composeTransport(http.send, { flow, counter }), {
    policy: policyOf(options),
    host,
    ...(options.clock && { clock: options.clock }),
    onRetry: (error, delayMs) => {
      counter.countRetry();
      options.onRetry?.(error, delayMs);
    },
  });
  const coordinator = new Coordinator(options);
  const store = new OciStore(exchange, coordinator, options.looksBeforePut);
  return {
    store,
    coordinator,
    stats: () => counter.snapshot(),
    close: async () => {
      await store.close();
      await coordinator.close();
      await http.close();
    },
  };
}

function policyOf({ retry = DEFAULT_RETRY_POLICY, noProgressTimeoutMs }: OciStoreOptions): RetryPolicy {
  return noProgressTimeoutMs === undefined ? retry : { ...retry, noProgressMs: noProgressTimeoutMs };
}
