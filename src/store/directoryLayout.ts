import { join } from 'node:path';
import type { ObjectRef, ObjectType } from './objectNames.ts';

/** Name of the configuration file. */
export const CONFIG_FILE = 'CONFIG';

// Folders as plakar 1.1.4 makes them: packfiles and states in 256 shards by the first byte, locks flat. It makes no
// folder for ECC objects until it writes one; their names follow those of the others.
const FOLDERS: Record<ObjectType, { readonly folder: string; readonly sharded: boolean }> = {
  packfile: { folder: 'packfiles', sharded: true },
  state: { folder: 'states', sharded: true },
  lock: { folder: 'locks', sharded: false },
  'ecc-packfile': { folder: 'ecc-packfiles', sharded: true },
  'ecc-state': { folder: 'ecc-states', sharded: true },
};

/** Folder of a type, below the store. */
export function typeFolder(root: string, type: ObjectType): string {
  return join(root, FOLDERS[type].folder);
}

/** True when the objects of a type lie in folders named by the first two digits of their MAC. */
export function isSharded(type: ObjectType): boolean {
  return FOLDERS[type].sharded;
}

/** Folder and path of an object. */
export function objectPath(root: string, ref: ObjectRef): { folder: string; path: string } {
  const base = typeFolder(root, ref.type);
  const folder = isSharded(ref.type) ? join(base, ref.mac.slice(0, 2)) : base;
  return { folder, path: join(folder, ref.mac) };
}

/** The folders that an empty store has. */
export function initialFolders(root: string): string[] {
  const shards = Array.from({ length: 256 }, (_, at) => at.toString(16).padStart(2, '0'));
  return [
    ...(['packfile', 'state'] as const).flatMap((type) =>
      shards.map((shard) => join(typeFolder(root, type), shard)),
    ),
    typeFolder(root, 'lock'),
  ];
}
