import type { IncomingObject } from '../engine/incomingObject.ts';
import { parseReference } from '../registry/reference.ts';
import type { ObjectStore } from '../store/objectStore.ts';
import { openOciStore } from '../store/openStore.ts';
import type { PluginOptions } from './options.ts';
import type { StoreIdentity } from './storeResponses.ts';

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
  /** Ends the store, after what it still has to write. @throws KlosetError what one of those writes failed with */
  close(): Promise<void>;
}

/** Opens a store; makes no request. @throws KlosetError LOCATION_INVALID */
export type OpenBackend = (location: string, options: PluginOptions) => Backend;

/** The store in a registry, with everything around it that a host profits from. */
export const openBackend: OpenBackend = (location, options) => {
  const { useTls, concurrency, memoryBytes, uploadMode, chunkBytes, partBytes, hasher } = options;
  const open = openOciStore(location, {
    useTls,
    concurrency,
    memoryBytes,
    uploadMode,
    chunkBytes,
    partBytes,
    hasher,
    http: options.stallTimeoutMs === undefined ? {} : { stallTimeoutMs: options.stallTimeoutMs },
  });
  const { repository, origin } = parseReference(location, { useTls });
  return {
    // The same as the Go connector's: the host keeps caches under these names.
    identity: { origin: repository, type: 'oci', root: origin },
    store: open.store,
    receive: () => open.coordinator.receive(),
    close: () => open.close(),
  };
};
