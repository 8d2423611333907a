import { DEFAULT_CONCURRENCY } from '../engine/coordinator.ts';
import type { IncomingObject } from '../engine/incomingObject.ts';
import { parseReference } from '../registry/reference.ts';
import { CachedStore } from '../store/cachedStore.ts';
import type { ObjectStore } from '../store/objectStore.ts';
import { type OpenOciStore, openOciStore } from '../store/openStore.ts';
import { ociStoreOptions, type StoreSettings } from '../store/storeSettings.ts';
import { TracedStore } from '../store/tracedStore.ts';
import { WriteBehindStore } from '../store/writeBehind.ts';
import type { StoreIdentity } from './storeResponses.ts';

/** GHCR has shown manifests some seconds late to others than their writer. */
const MISSING_PATIENCE_MS = 3000;

/** What the service works on. */
export interface Backend {
  readonly identity: StoreIdentity;
  /**
   * The chunks of its reads are never written to again: they go to the host by reference, and wait for their turn
   * while the next ones are read already.
   */
  readonly store: ObjectStore;
  /** An object about to arrive, with room for the first window of a Put. */
  receive(): IncomingObject;
  /** Waits for writes that were acknowledged. @throws KlosetError what one of them failed with */
  flush(signal: AbortSignal): Promise<void>;
  /** Cancels writes that were acknowledged and are still under way: the host is gone, and will never name them. */
  abandon(): void;
  /** Ends the store, after what it still has to write. @throws KlosetError what one of those writes failed with */
  close(): Promise<void>;
}

/**
 * Opens a store; makes no request.
 *
 * @param log takes remarks for the user
 * @throws KlosetError LOCATION_INVALID
 */
export type OpenBackend = (location: string, settings: StoreSettings, log: (line: string) => void) => Backend;

/** The store in a registry, with everything around it that a host profits from. */
export const openBackend: OpenBackend = (location, settings, log) => {
  const open = openOciStore(location, {
    ...ociStoreOptions(settings),
    // Plakar's names are new ones, but for locks, which are put again on purpose.
    looksBeforePut: false,
    missingPatienceMs: MISSING_PATIENCE_MS,
    onRemark: log,
  });
  const { store, behind } = compose(open, settings);
  const { repository, origin } = parseReference(location, { useTls: settings.useTls });
  return {
    // What the Go connector answers.
    identity: { origin: repository, type: 'oci', root: origin },
    store,
    receive: () => open.coordinator.receive(),
    flush: async (signal) => behind?.flush({ signal }),
    abandon: () => behind?.abandon(),
    close: async () => {
      try {
        await store.close();
      } finally {
        await open.close();
      }
    },
  };
};

/**
 * From the registry outwards: the cache of reads; writes behind, whose barriers stand before the reads too; the trace,
 * which shows what the host sees.
 */
function compose(
  open: OpenOciStore,
  settings: StoreSettings,
): { store: ObjectStore; behind: WriteBehindStore | undefined } {
  const cached = new CachedStore(open.store, { cacheBytes: settings.cacheBytes });
  const behind =
    settings.writeBehind === false
      ? undefined
      : new WriteBehindStore(cached, {
          // More than are sent at once would only hold memory.
          maxPending: settings.concurrency ?? DEFAULT_CONCURRENCY,
        });
  const store = behind ?? cached;
  const trace = process.env.KLOSET_OCI_TRACE;
  return { store: trace ? new TracedStore(store, trace) : store, behind };
}
