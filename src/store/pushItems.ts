import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileSource } from '../engine/fileSource.ts';
import type { ByteSource } from '../engine/source.ts';
import { KlosetError } from '../errors.ts';
import { CONFIG_FILE } from './directoryLayout.ts';
import { DirectoryStore } from './directoryStore.ts';
import { isMac, type ObjectType } from './objectNames.ts';

/** One object to push. Opening it reads its size, so that thousands of them need not be open at once. */
export interface PushItem {
  readonly type: ObjectType;
  /** `undefined` for a file that its content names: it is hashed when its turn comes, many at once. */
  readonly mac: string | undefined;
  readonly bytes: number;
  open(): Promise<ByteSource>;
}

/** What a path on disk holds. */
export interface PushPlan {
  /** The configuration, where the path is a Kloset store. */
  readonly config: Uint8Array | undefined;
  /** In the order in which they may become visible: what is named before what names it. */
  readonly items: readonly PushItem[];
}

// A state names packfiles: it goes last. Locks are of the moment and of the place where they were taken.
const STORE_TYPES: readonly ObjectType[] = ['ecc-packfile', 'packfile', 'ecc-state', 'state'];

/**
 * Finds what to push: one Kloset store, or files and folders of files. A file that is named by 64 hex digits is that
 * object; any other is named by the SHA-256 of its content.
 *
 * @throws KlosetError SOURCE_MISSING, SOURCE_UNREADABLE, USAGE
 */
export async function planPush(paths: readonly string[], type: ObjectType = 'packfile'): Promise<PushPlan> {
  const items: PushItem[] = [];
  for (const path of paths) {
    if ((await statSource(path)).isFile()) {
      items.push(await itemOf(path, type));
      continue;
    }
    const names = await readdir(path).catch((cause) => {
      throw new KlosetError('SOURCE_UNREADABLE', 'is no folder or file that can be read', {
        object: path,
        remedy: 'Name a Kloset directory, a file, or a folder of files, and check the permissions.',
        cause,
      });
    });
    if (names.includes(CONFIG_FILE)) {
      if (paths.length === 1) return planStore(path);
      throw new KlosetError('USAGE', 'a Kloset store is pushed alone', {
        object: path,
        remedy: 'Push it with a command of its own.',
      });
    }
    for (const name of names.sort()) {
      const file = join(path, name);
      if ((await statSource(file)).isFile()) items.push(await itemOf(file, type));
    }
  }
  if (items.length === 0) {
    throw new KlosetError('SOURCE_MISSING', 'holds neither a Kloset store nor files', {
      object: paths.join(', '),
      remedy: 'Name a Kloset directory, files, or folders of files.',
    });
  }
  return { config: undefined, items };
}

async function statSource(path: string) {
  return stat(path).catch((cause) => {
    throw new KlosetError('SOURCE_MISSING', 'does not exist', {
      object: path,
      remedy: 'Check the path.',
      cause,
    });
  });
}

async function planStore(path: string): Promise<PushPlan> {
  const store = new DirectoryStore(path);
  const items: PushItem[] = [];
  for (const type of STORE_TYPES) {
    for await (const mac of store.list(type)) {
      const ref = { type, mac };
      const { bytes } = await store.stat(ref);
      items.push({ type, mac, bytes, open: () => fileSource(store.pathOf(ref), `${type} ${mac}`) });
    }
  }
  return { config: await store.open(), items };
}

async function itemOf(path: string, type: ObjectType): Promise<PushItem> {
  const source = await fileSource(path);
  const name = basename(path).toLowerCase();
  return {
    type,
    mac: isMac(name) ? name : undefined,
    bytes: source.sizeBytes ?? 0,
    open: () => fileSource(path),
  };
}
