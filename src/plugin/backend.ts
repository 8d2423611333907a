import { join } from 'node:path';
import type { IncomingObject } from '../engine/incomingObject.ts';
import { stateFolder } from '../engine/stateFolder.ts';
import { parseReference } from '../registry/reference.ts';
import { CachedStore } from '../store/cachedStore.ts';
import { HostLocks } from '../store/hostLocks.ts';
import { KeptStates } from '../store/keptStates.ts';
import type { ObjectStore } from '../store/objectStore.ts';
import { openOciStore } from '../store/openStore.ts';
import { ociStoreOptions, type StoreSettings } from '../store/storeSettings.ts';
import { TracedStore } from '../store/tracedStore.ts';
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
  /** Deletes the locks that the host has put and not deleted. @throws KlosetError */
  releaseLocks(signal: AbortSignal): Promise<void>;
  /** Ends the store; the locks of the host go with it. @throws KlosetError */
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
  // From the registry outwards. Nothing is acknowledged before it is stored: plakar 1.1.4 takes the state of a backup
  // into its own cache also when that state was refused, and the next backup leaves out what it believes to be stored.
  const cached = new CachedStore(open.store, { cacheBytes: settings.cacheBytes });
  const states = new KeptStates(cached, { folder: join(stateFolder(), 'states'), onRemark: log });
  const locks = new HostLocks(states);
  const trace = process.env.KLOSET_OCI_TRACE;
  const store = trace ? new TracedStore(locks, trace) : locks;
  const { repository, origin } = parseReference(location, { useTls: settings.useTls });
  return {
    // What the Go connector answers.
    identity: { origin: repository, type: 'oci', root: origin },
    store,
    receive: () => open.coordinator.receive(),
    releaseLocks: (signal) => locks.release({ signal }),
    close: async () => {
      try {
        await store.close();
      } finally {
        await open.close();
      }
    },
  };
};
