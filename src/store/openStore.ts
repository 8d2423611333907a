import { Coordinator, type EngineOptions } from '../engine/coordinator.ts';
import type { Exchange } from '../registry/exchange.ts';
import type { ProfileName } from '../registry/profiles/names.ts';
import type { ProviderProfile } from '../registry/profiles.ts';
import { parseReference } from '../registry/reference.ts';
import type { RequestStats } from '../registry/requestStats.ts';
import { HostDeletion } from './hostDeletion.ts';
import { HostKnowledge } from './hostKnowledge.ts';
import { OciStore, type StoreBehaviour } from './ociStore.ts';
import { type ExchangeOptions, openExchange } from './openExchange.ts';

/** Settings of a store in a registry. */
export interface OciStoreOptions extends EngineOptions, ExchangeOptions, StoreBehaviour {
  /** TLS or plain HTTP; by default plain HTTP for loopback hosts and TLS for all others. */
  readonly useTls?: boolean | undefined;
  /** The provider, for a host whose name does not tell it. By default it is found out. */
  readonly profile?: ProfileName | undefined;
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
 * @throws KlosetError LOCATION_INVALID, and USAGE for options that contradict each other
 */
export function openOciStore(location: string, options: OciStoreOptions = {}): OpenOciStore {
  const reference = parseReference(location, { useTls: options.useTls });
  const knowledge = new HostKnowledge(reference, {
    ...options,
    onProfile: ({ rates }) => flow.document(rates.map(({ value }) => value)),
  });
  const { exchange, flow, counter, close } = openExchange(reference, {
    ...options,
    onAnswer: knowledge.onAnswer,
  });
  const coordinator = new Coordinator(options);
  const host = coordinator.host(reference.origin);
  knowledge.inform(host);
  const reclaims = async () => (await knowledge.profile()).deletion.reclaims.value;
  const store = new OciStore(exchange, coordinator, {
    deletion: new HostDeletion(host),
    reclaims,
    ...options,
  });
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
      await close();
    },
  };
}
