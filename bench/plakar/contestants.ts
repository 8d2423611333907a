/** The stores that are compared: a directory, and a registry through either connector. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConnectorName, connectorPackage } from '../../test/support/connectors.ts';
import { openPlakar, type Plakar } from '../../test/support/plakar.ts';

export type ContestantName = 'directory' | ConnectorName;

export interface Contestant {
  readonly name: ContestantName;
  readonly plakar: Plakar;
  /** Where a store of this name is, for a registry or a proxy before it. */
  location(store: string, address: string): string;
  /** Removes a store that lies in a folder; those in registries go with their registry. */
  remove(store: string): Promise<void>;
}

export async function openContestant(name: ContestantName, folder: string): Promise<Contestant> {
  const plakar = await openPlakar(name === 'directory' ? {} : { connector: connectorPackage(name) });
  return {
    name,
    plakar,
    location: (store, address) =>
      name === 'directory' ? join(folder, 'stores', store) : `oci://${address}/bench/${name}/${store}`,
    remove: async (store) => {
      if (name === 'directory') await rm(join(folder, 'stores', store), { recursive: true, force: true });
    },
  };
}
