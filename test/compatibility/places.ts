/** The registries that plakar's commands are tried on: those that the emulator plays, and real ones. */
import { startRegistry } from '../../src/emulator/index.ts';
import { PROFILE_NAMES } from '../../src/emulator/profiles/index.ts';
import { requirePeers } from '../support/peers.ts';
import { REGISTRIES } from '../support/realRegistries.ts';
import { SECURED_REGISTRIES, type SecuredEntry } from '../support/securedRegistries.ts';

/** A registry that runs. */
export interface Place {
  readonly location: string;
  /** Options of the store, by the names of a Plakar configuration. */
  readonly options: Readonly<Record<string, string>>;
  /** What the plugin finds in its environment. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<unknown>;
}

/** A row of the table. */
export interface PlaceEntry {
  readonly name: string;
  readonly kind: 'played' | 'real';
  start(): Promise<Place>;
}

const USER = 'backup';
const PASSWORD = 'correct horse, staple';
const REPOSITORY = 'compatibility/store';

/** Every registry, with its login where it has one. */
export function places(): PlaceEntry[] {
  return [...PROFILE_NAMES.map(played), ...plain(), ...secured()];
}

function played(name: (typeof PROFILE_NAMES)[number]): PlaceEntry {
  return {
    name,
    kind: 'played',
    start: async () => {
      const users = { [USER]: { password: PASSWORD } };
      const registry = await startRegistry({
        profile: name,
        profileSettings: { users, repositories: [REPOSITORY] },
      });
      return {
        location: `oci://${registry.address}/${REPOSITORY}`,
        options: {},
        env: { KLOSET_OCI_USERNAME: USER, KLOSET_OCI_PASSWORD: PASSWORD },
        stop: () => registry.close(),
      };
    },
  };
}

function plain(): PlaceEntry[] {
  return Object.entries(REGISTRIES).map(([name, { start }]) => ({
    name: `${name}, open`,
    kind: 'real',
    start: async () => {
      const registry = await start();
      return {
        location: `oci://${registry.address}/${REPOSITORY}`,
        options: {},
        env: {},
        stop: () => registry.stop(),
      };
    },
  }));
}

function secured(): PlaceEntry[] {
  return Object.entries<SecuredEntry>(SECURED_REGISTRIES).map(([name, { start, peers }]) => ({
    name,
    kind: 'real',
    start: async () => {
      if (!requirePeers(peers).found) throw new Error(`not installed: ${peers.join(', ')}`);
      const registry = await start();
      const { env, options } = registry;
      return { location: registry.location(REPOSITORY), options, env, stop: () => registry.stop() };
    },
  }));
}
