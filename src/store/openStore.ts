import { Coordinator, type EngineOptions } from '../engine/coordinator.ts';
import { parseReference } from '../registry/reference.ts';
import type { RequestStats } from '../registry/requestStats.ts';
import { OciStore, type StoreBehaviour } from './ociStore.ts';
import { type ExchangeOptions, openExchange } from './openExchange.ts';

/** Settings of a store in a registry. */
export interface OciStoreOptions extends EngineOptions, ExchangeOptions, StoreBehaviour {
  /** TLS or plain HTTP; by default plain HTTP for loopback hosts and TLS for all others. */
  readonly useTls?: boolean | undefined;
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
 * @throws KlosetError LOCATION_INVALID, and USAGE for options that contradict each other
 */
export function openOciStore(location: string, options: OciStoreOptions = {}): OpenOciStore {
  const reference = parseReference(location, { useTls: options.useTls });
  const { exchange, counter, close } = openExchange(reference, options);
  const coordinator = new Coordinator(options);
  const store = new OciStore(exchange, coordinator, options);
  return {
    store,
    coordinator,
    stats: () => counter.snapshot(),
    close: async () => {
      await store.close();
      await coordinator.close();
      await close();
    },
  };
}
