import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { KlosetError } from '../errors.ts';
import { fileSource } from './fileSource.ts';
import type { ByteReader, ByteSource } from './source.ts';

const WINDOW_BYTES = 1024 * 1024;

/** A stream on disk. */
export interface Spooled {
  readonly source: ByteSource;
  remove(): Promise<void>;
}

/**
 * Writes a stream to a temporary file, for registries that take a blob only whole: its digest has to be known
 * before its first byte is sent, and a stream cannot be read twice.
 *
 * @throws KlosetError DISK_FULL, FILE_WRITE_FAILED
 */
export async function spool(source: ByteSource, reader: ByteReader, signal?: AbortSignal): Promise<Spooled> {
  const folder = await mkdtemp(join(tmpdir(), 'kloset-oci-spool-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'stream');
  try {
    await pipeline(chunksOf(reader), createWriteStream(path, { mode: 0o600 }), signal ? { signal } : {});
    const spooled = await fileSource(path, source.name);
    return { source: spooled, remove };
  } catch (cause) {
    await remove();
    const errno = (cause as NodeJS.ErrnoException).code;
    if (errno === 'ENOSPC' || errno === 'EDQUOT') {
      throw new KlosetError('DISK_FULL', `no room to spool the stream in ${tmpdir()}`, {
        object: source.name,
        remedy: 'Set TMPDIR to a folder with enough room, or push from a file.',
        cause,
      });
    }
    throw cause;
  }
}

async function* chunksOf(reader: ByteReader): AsyncGenerator<Uint8Array, void, void> {
  for (let position = 0; ; ) {
    // A new buffer each time: the stream may still hold the one before.
    const buffer = new Uint8Array(WINDOW_BYTES);
    const bytes = await reader.read(buffer, position);
    if (bytes > 0) yield buffer.subarray(0, bytes);
    if (bytes < WINDOW_BYTES) return;
    position += bytes;
  }
}
