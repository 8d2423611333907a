import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileCalls } from '../engine/fileCalls.ts';
import { fileSource } from '../engine/fileSource.ts';
import { KlosetError } from '../errors.ts';
import { CONFIG_FILE } from './directoryLayout.ts';
import { DirectoryStore } from './directoryStore.ts';
import { isMac, type ObjectType } from './objectNames.ts';
import { sourceOf, type TransferItem, type TransferSource } from './transferSource.ts';

/**
 * Finds what to push: one Kloset store, or files and folders of files. A file that is named by 64 hex digits is that
 * object; any other is named by the SHA-256 of its content.
 *
 * @throws KlosetError SOURCE_MISSING, SOURCE_UNREADABLE, USAGE
 */
export async function planPush(
  paths: readonly string[],
  type: ObjectType = 'packfile',
): Promise<TransferSource> {
  const items: TransferItem[] = [];
  for (const path of paths) {
    const stats = await statSource(path);
    if (stats.isFile()) {
      items.push(itemOf(path, stats.size, type));
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
      if (paths.length === 1) return sourceOf(new DirectoryStore(path));
      throw new KlosetError('USAGE', 'a Kloset store is pushed alone', {
        object: path,
        remedy: 'Push it with a command of its own.',
      });
    }
    for (const name of names.sort()) {
      const file = join(path, name);
      const found = await statSource(file);
      if (found.isFile()) items.push(itemOf(file, found.size, type));
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
  try {
    return await fileCalls.stat(path);
  } catch (cause) {
    throw new KlosetError('SOURCE_MISSING', 'does not exist', {
      object: path,
      remedy: 'Check the path.',
      cause,
    });
  }
}

function itemOf(path: string, bytes: number, type: ObjectType): TransferItem {
  const name = basename(path).toLowerCase();
  return {
    type,
    mac: isMac(name) ? name : undefined,
    bytes,
    open: () => fileSource(path),
  };
}
