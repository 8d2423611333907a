import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Coordinator } from '../engine/coordinator.ts';
import { KlosetError } from '../errors.ts';
import type { RequestStats } from '../registry/requestStats.ts';
import { DirectoryStore } from './directoryStore.ts';
import { LAYOUT_FILE } from './layoutFiles.ts';
import { LayoutStore } from './layoutStore.ts';
import { type OciStoreOptions, openOciStore } from './openStore.ts';
import type { DigestStore } from './storedSource.ts';

/** An open store of any kind. */
export interface OpenPlace {
  readonly store: DirectoryStore | DigestStore;
  /** Equal for locations that are the same place under two names. */
  readonly identity: string;
  /** The engine, where the place is a registry. */
  readonly coordinator: Coordinator | undefined;
  stats(): RequestStats;
  close(): Promise<void>;
}

const LAYOUT_PREFIX = 'oci-layout:';
const NO_REQUESTS: RequestStats = { requests: {}, retries: 0, throttled: 0 };

/**
 * Opens what a location names: `oci://HOST/REPOSITORY`, `oci-layout:FOLDER`, or a folder, which is an image layout if
 * it holds the file `oci-layout`, and else a Kloset directory.
 *
 * @throws KlosetError LOCATION_INVALID
 */
export async function openPlace(location: string, options: OciStoreOptions = {}): Promise<OpenPlace> {
  if (location.startsWith('oci://')) {
    const open = openOciStore(location, options);
    const { origin, repository } = open.store.reference;
    return { ...open, identity: `${origin}/${repository}` };
  }
  const isLayout = location.startsWith(LAYOUT_PREFIX);
  const path = isLayout ? location.slice(LAYOUT_PREFIX.length) : location;
  if (path === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(path)) {
    throw new KlosetError('LOCATION_INVALID', `"${withoutSecret(location)}" is no location`, {
      remedy: 'Use oci://HOST[:PORT]/REPOSITORY, oci-layout:FOLDER, or the path of a Kloset directory.',
    });
  }
  const store =
    isLayout || (await isFile(join(path, LAYOUT_FILE))) ? new LayoutStore(path) : new DirectoryStore(path);
  return {
    store,
    identity: await realpath(path).catch(() => resolve(path)),
    coordinator: undefined,
    stats: () => NO_REQUESTS,
    close: () => store.close(),
  };
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

// What stands before an @ may be a password, and messages end up in logs.
function withoutSecret(location: string): string {
  return location.replace(/\/\/[^/]*@/, '//***@');
}
