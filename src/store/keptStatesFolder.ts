import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bufferSource } from '../engine/bufferSource.ts';
import type { ByteSource } from '../engine/source.ts';
import { KlosetError } from '../errors.ts';
import { onDisk, writeAtomically } from './atomicFile.ts';
import { bytesOf } from './bytesOf.ts';
import { describeRef, isMac } from './objectNames.ts';

/**
 * plakar's maintenance deletes packfiles that no state names after seven days; a state that names them must not come
 * after that.
 */
const LIFETIME_MS = 6 * 24 * 3_600_000;
const DIGEST_BYTES = 32;
const SUFFIX = '.state';

/** The states that are kept for one store: files `<folder>/<store>/<mac>.state`, the bytes behind their SHA-256. */
export class KeptStatesFolder {
  readonly #folder: string;
  readonly #onRemark: (text: string) => void;

  /** @param store a name of the store, fit for a folder */
  constructor(folder: string, store: string, onRemark: (text: string) => void) {
    this.#folder = join(folder, store);
    this.#onRemark = onRemark;
  }

  /** @throws KlosetError DISK_FULL, FILE_WRITE_FAILED */
  async keep(mac: string, source: ByteSource): Promise<void> {
    const hash = createHash('sha256');
    await writeAtomically(this.#pathOf(mac), async (file) => {
      let at = DIGEST_BYTES;
      const write = async (bytes: Uint8Array, from: number) => {
        for (let done = 0; done < bytes.length; )
          done += (await file.write(bytes, done, bytes.length - done, from + done)).bytesWritten;
      };
      for await (const chunk of bytesOf(source, {})) {
        hash.update(chunk);
        await onDisk(this.#folder, () => write(chunk, at));
        at += chunk.length;
      }
      await onDisk(this.#folder, () => write(hash.digest(), 0));
      return at;
    });
  }

  /** It is stored. */
  async drop(mac: string): Promise<void> {
    // One that cannot be removed is stored once more, which changes nothing.
    await rm(this.#pathOf(mac), { force: true }).catch(() => {});
  }

  /** Runs something with each state that is whole and not too old, one after the other; the others are removed. */
  async each(run: (mac: string, source: ByteSource) => Promise<void>): Promise<void> {
    for (const mac of await this.#macs()) {
      const bytes = await this.#read(mac);
      if (bytes) await run(mac, bufferSource(bytes, describeRef({ type: 'state', mac })));
      else await this.drop(mac);
    }
  }

  async #macs(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
      .filter(isMac);
  }

  async #read(mac: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(mac);
    try {
      const ageMs = Date.now() - (await stat(path)).mtimeMs;
      if (!(ageMs < LIFETIME_MS)) {
        this.#onRemark(
          'the state of an earlier backup could not be stored for six days and is given up: delete the cache of plakar (~/.cache/plakar) before the next backup, which would rely on it.',
        );
        return undefined;
      }
      const file = await readFile(path);
      const bytes = file.subarray(DIGEST_BYTES);
      const digest = createHash('sha256').update(bytes).digest();
      return digest.equals(file.subarray(0, DIGEST_BYTES)) ? bytes : undefined;
    } catch (cause) {
      const errno = (cause as NodeJS.ErrnoException).code ?? String(cause);
      // Another process has stored it meanwhile.
      if (errno === 'ENOENT') return undefined;
      throw new KlosetError('SOURCE_UNREADABLE', `the state of an earlier backup cannot be read (${errno})`, {
        object: path,
        remedy: 'Make the file readable: the next backup would rely on it.',
        cause,
      });
    }
  }

  #pathOf(mac: string): string {
    return join(this.#folder, `${mac}${SUFFIX}`);
  }
}
