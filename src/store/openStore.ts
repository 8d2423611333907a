import { Coordinator, type EngineOptions } from '../engine/coordinator.ts';
import type { KlosetError } from '../errors.ts';
import type { Clock } from '../flow/clock.ts';
import type { RetryPolicy } from '../flow/retry.ts';
import { composeTransport } from '../registry/compose.ts';
import { CHANNELS } from '../registry/events.ts';
import { type Exchange, makeExchange } from '../registry/exchange.ts';
import type { ProfileName } from '../registry/profiles/names.ts';
import type { ProviderProfile } from '../registry/profiles.ts';
import { parseReference } from '../registry/reference.ts';
import { RequestCounter, type RequestStats } from '../registry/requestStats.ts';
import { type HttpOptions, httpTransport } from '../registry/undiciTransport.ts';
import { HostKnowledge } from './hostKnowledge.ts';
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
  /** The provider, for a host whose name does not tell it. By default it is found out. */
  readonly profile?: ProfileName | undefined;
  readonly http?: HttpOptions | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly clock?: Clock | undefined;
  /** Takes what looks odd and stops nothing, as sentences. */
  readonly onRemark?: ((text: string) => void) | undefined;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
}

/** An open store with what a program around it asks for. */
export interface OpenOciStore {
  readonly store: OciStore;
  readonly coordinator: Coordinator;
  /** The way to the registry, for requests that are not a store's. */
  readonly exchange: Exchange;
  /** What is known of the registry's provider; `generic` where nothing is. */
  profile(): Promise<ProviderProfile>;
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
  const knowledge = new HostKnowledge(reference, options);
  const exchange = makeExchange(reference, composeTransport(knowledge.watch(http.send), { counter }), {
    ...(options.retry && { policy: options.retry }),
    ...(options.clock && { clock: options.clock }),
    onRetry: (error, delayMs) => {
      counter.countRetry();
      tellRetry(reference.origin, error, delayMs);
      options.onRetry?.(error, delayMs);
    },
  });
  const coordinator = new Coordinator(options);
  const host = coordinator.host(reference.origin);
  knowledge.inform(host);
  const store = new OciStore(exchange, coordinator, options.looksBeforePut);
  return {
    store,
    coordinator,
    exchange,
    profile: () => knowledge.profile(),
    stats: () => counter.snapshot(),
    close: async () => {
      await store.close();
      await coordinator.close();
      await knowledge.save(host);
      await http.close();
    },
  };
}

function tellRetry(origin: string, error: KlosetError, delayMs: number): void {
  if (!CHANNELS.retry.hasSubscribers) return;
  const { code, summary: reason } = error;
  const { status } = error.details;
  CHANNELS.retry.publish({
    host: new URL(origin).host,
    code,
    ...(status !== undefined && { status }),
    reason,
    delayMs,
  });
}
