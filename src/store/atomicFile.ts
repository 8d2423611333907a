import { randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KlosetError } from '../errors.ts';

/** Prefix of files that are being written; no listing shows them. */
export const TEMPORARY_PREFIX = '.tmp-';

// Plakar's own modes: a store is its owner's.
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** What is written: bytes in order, or a function that fills the file and returns how many it has written. */
export type FileContent =
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | ((file: FileHandle) => Promise<number>);

/** What becomes of a file that is there already. */
export type Existing = 'replace' | 'refuse';

/**
 * Writes a file that is visible only when it is whole and on disk: temporary file, fsync, rename.
 *
 * @param existing `refuse` fails with EEXIST, also when another process creates the file meanwhile
 * @returns the bytes written
 * @throws KlosetError DISK_FULL, FILE_WRITE_FAILED, and what the content throws; EEXIST as it is
 */
export async function writeAtomically(
  path: string,
  content: FileContent,
  existing: Existing = 'replace',
): Promise<number> {
  return writeNamed(dirname(path), content, () => basename(path), { existing, place: path });
}

/**
 * The same for a file that is named by its content.
 *
 * @param nameOf called once all content was written
 * @param options `place` is what messages call the file before it has its name
 */
export async function writeNamed(
  folder: string,
  content: FileContent,
  nameOf: () => string,
  options: { readonly existing?: Existing; readonly place?: string } = {},
): Promise<number> {
  const { existing = 'replace', place = folder } = options;
  const temporary = join(folder, `${TEMPORARY_PREFIX}${randomUUID()}`);
  let bytes: number;
  try {
    const handle = await onDisk(place, () => openIn(folder, temporary));
    try {
      bytes = await fill(handle, content, place);
      await onDisk(place, () => handle.sync());
    } finally {
      await handle.close();
    }
    const path = join(folder, nameOf());
    // link, unlike rename, never replaces.
    if (existing === 'refuse') await linkNew(temporary, path);
    else {
      await onDisk(path, () => rename(temporary, path));
      return bytes;
    }
  } catch (error) {
    await removeQuietly(temporary);
    throw error;
  }
  await removeQuietly(temporary);
  return bytes;
}

/** Of many files nearly all are in folders that are there. */
async function openIn(folder: string, path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', FILE_MODE);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    return open(path, 'wx', FILE_MODE);
  }
}

/** What is left over is never listed; failing here would hide why the write failed. */
async function removeQuietly(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}

async function fill(file: FileHandle, content: FileContent, place: string): Promise<number> {
  if (typeof content === 'function') return content(file);
  let bytes = 0;
  for await (const chunk of content) {
    await onDisk(place, async () => {
      for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
    });
    bytes += chunk.length;
  }
  return bytes;
}

async function linkNew(from: string, path: string): Promise<void> {
  const taken = await onDisk(path, () =>
    link(from, path).catch((cause) => {
      // The caller asked for it; anywhere else EEXIST is a file in the place of a folder.
      if (cause.code === 'EEXIST') return cause as Error;
      throw cause;
    }),
  );
  if (taken) throw taken;
}

/** Runs a file operation; what the system refuses becomes an error that names the file. */
export async function onDisk<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code ?? '';
    if (errno === 'ENOSPC' || errno === 'EDQUOT') {
      throw new KlosetError('DISK_FULL', 'no room left on the file system', {
        object: path,
        remedy: 'Free some room and run the command again; whole objects are kept.',
        cause,
      });
    }
    throw new KlosetError('FILE_WRITE_FAILED', `the file system refuses it (${errno || String(cause)})`, {
      object: path,
      remedy: 'Check path and permissions.',
      cause,
    });
  }
}
