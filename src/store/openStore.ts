import { Coordinator, type EngineOptions } from '../engine/coordinator.ts';
import { parseReference } from '../registry/reference.ts';
import type { RequestStats } from '../registry/requestStats.ts';
import { OciStore } from './ociStore.ts';
import { type ExchangeOptions, openExchange } from './openExchange.ts';

/** Settings of a store in a registry. */
export interface OciStoreOptions extends EngineOptions, ExchangeOptions {
  /** TLS or plain HTTP; by default plain HTTP for loopback hosts and TLS for all others. */
  readonly useTls?: boolean | undefined;
  /**
   * Whether a put first asks the registry for the object, and sends nothing where it has the same content: a request
   * that is wasted on objects of new names, which is all that Plakar writes.
   * @default true
   */
  readonly looksBeforePut?: boolean | undefined;
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
  const store = new OciStore(exchange, coordinator, options.looksBeforePut);
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
