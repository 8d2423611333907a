import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KlosetError } from '../errors.ts';
import { fileSource } from './fileSource.ts';
import type { ByteSource } from './source.ts';

/**
 * A temporary file for an object that memory cannot hold. It is written to at once: what arrives has no other place
 * to wait, and the host is only given credit for more when it has been written.
 */
export class SpillFile {
  readonly #folder: string;
  readonly #path: string;
  #fd: number | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, 'object');
    this.#fd = openSync(this.#path, 'wx', 0o600);
  }

  /** @throws KlosetError DISK_FULL, FILE_WRITE_FAILED */
  static open(): SpillFile {
    return onDisk(() => new SpillFile(mkdtempSync(join(tmpdir(), 'kloset-oci-spill-'))));
  }

  /** @throws KlosetError DISK_FULL, FILE_WRITE_FAILED */
  append(bytes: Uint8Array): void {
    const fd = this.#fd;
    if (fd === undefined) throw new Error('the file was removed');
    onDisk(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    });
  }

  /** The file as a source; `release` is called, once or more, by whoever puts it. */
  source(name: string, sizeBytes: number, release: () => void): ByteSource {
    this.#close();
    return {
      name,
      sizeBytes,
      rereadable: true,
      held: { release },
      open: async (signal) => (await fileSource(this.#path, name)).open(signal),
    };
  }

  remove(): void {
    this.#close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function onDisk<T>(operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code;
    const full = errno === 'ENOSPC' || errno === 'EDQUOT';
    throw new KlosetError(
      full ? 'DISK_FULL' : 'FILE_WRITE_FAILED',
      `an object that is longer than memory allows cannot be kept in ${tmpdir()} (${errno ?? String(cause)})`,
      { remedy: 'Set TMPDIR to a folder with enough room, or allow more memory.', cause },
    );
  }
}
