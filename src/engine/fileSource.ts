import { readSync } from 'node:fs';
import { type ErrorCode, KlosetError } from '../errors.ts';
import { fileCalls } from './fileCalls.ts';
import { identityFrom } from './fileIdentity.ts';
import type { ByteSource, FileReader } from './source.ts';

const CHANGED_REMEDY = 'Push it again once nothing writes to it.';

/**
 * A file as a source. It is stated once here, and again when its last byte was read: a file that grew, shrank or was
 * written to in between is refused, since what was read is no state it was ever in.
 *
 * @param name what messages call it; the path when absent
 * @throws KlosetError SOURCE_MISSING, SOURCE_UNREADABLE
 */
export async function fileSource(path: string, name: string = path): Promise<ByteSource> {
  const stats = await named(name, () => fileCalls.stat(path));
  if (!stats.isFile()) throw new KlosetError('SOURCE_UNREADABLE', 'is not a regular file', { object: name });
  return { name, sizeBytes: stats.size, rereadable: true, open: () => openReader(path, name, stats.size) };
}

async function openReader(path: string, name: string, expectedBytes: number): Promise<FileReader> {
  const fd = await named(name, () => fileCalls.open(path));
  const before = await named(name, () => fileCalls.identify(fd)).catch(async (error) => {
    await fileCalls.close(fd);
    throw error;
  });
  return {
    fd,
    identity: identityFrom(path, before),
    read: async (into, position) => {
      let total = 0;
      // pread may return less than asked for before the end of the file.
      while (total < into.length) {
        const rest = into.subarray(total);
        const bytes = await named(name, () => fileCalls.read(fd, rest, position + total));
        if (bytes === 0) break;
        total += bytes;
      }
      if (position + total < Math.min(position + into.length, expectedBytes)) throw changed(name, 'shrank');
      return total;
    },
    readNow: (into, position) => {
      let total = 0;
      while (total < into.length) {
        const bytes = readNow(fd, into, total, position + total, name);
        if (bytes === 0) throw changed(name, 'shrank');
        total += bytes;
      }
      return total;
    },
    verifyUnchanged: async () => {
      const after = await fileCalls.identify(fd);
      if (Number(after.size) !== expectedBytes) {
        throw changed(name, Number(after.size) < expectedBytes ? 'shrank' : 'grew');
      }
      if (after.mtimeNs !== before.mtimeNs || after.ctimeNs !== before.ctimeNs)
        throw changed(name, 'changed');
    },
    close: async () => fileCalls.close(fd),
  };
}

function readNow(fd: number, into: Uint8Array, at: number, position: number, name: string): number {
  try {
    return readSync(fd, into, at, into.length - at, position);
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

async function named<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

function unreadable(name: string, cause: unknown): KlosetError {
  const errno = (cause as NodeJS.ErrnoException).code ?? '';
  const missing = errno === 'ENOENT' || errno === 'ENOTDIR';
  const code: ErrorCode = missing ? 'SOURCE_MISSING' : 'SOURCE_UNREADABLE';
  return new KlosetError(code, missing ? 'does not exist' : `cannot be read (${errno || String(cause)})`, {
    object: name,
    remedy: missing ? 'Check the path.' : 'Check the permissions of the file and the disk.',
    cause,
  });
}

function changed(name: string, how: string): KlosetError {
  return new KlosetError('SOURCE_CHANGED', `${how} while it was read`, {
    object: name,
    remedy: CHANGED_REMEDY,
  });
}
