import { mkdir, opendir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteSource } from '../engine/source.ts';
import { KlosetError, throwIfAborted } from '../errors.ts';
import { type FileContent, onDisk, writeAtomically } from './atomicFile.ts';
import { bytesOf } from './bytesOf.ts';
import { CONFIG_FILE, initialFolders, isSharded, objectPath, typeFolder } from './directoryLayout.ts';
import { describeRef, isMac, type ObjectRef, type ObjectType } from './objectNames.ts';
import type {
  GetOptions,
  ObjectContent,
  ObjectFinding,
  ObjectStat,
  ObjectStore,
  OperationOptions,
  PutOptions,
  PutResult,
} from './objectStore.ts';
import { readFilePart, unreadable } from './readFile.ts';
import { isStoredSource } from './storedSource.ts';

/**
 * A Kloset store in a directory, as plakar itself lays it out. It keeps no digests (MACs are keyed and plakar's to
 * check): whole here means written to the end, and `deep` verification means that every byte can be read.
 */
export class DirectoryStore implements ObjectStore {
  readonly location: string;

  /** @param path the folder; it need not exist before `create` or the first put */
  constructor(path: string) {
    this.location = path;
  }

  async create(config: Uint8Array): Promise<void> {
    const path = join(this.location, CONFIG_FILE);
    const exists = () =>
      new KlosetError('STORE_EXISTS', 'a store is there already; nothing was changed', {
        object: path,
        remedy: 'Choose another folder.',
      });
    if (await isThere(path)) throw exists();
    await onDisk(this.location, async () => {
      for (const folder of initialFolders(this.location))
        await mkdir(folder, { recursive: true, mode: 0o700 });
    });
    try {
      await writeAtomically(path, [config], 'refuse');
    } catch (error) {
      throw errnoOf(error) === 'EEXIST' ? exists() : error;
    }
  }

  async open(): Promise<Uint8Array> {
    const path = join(this.location, CONFIG_FILE);
    try {
      return await readFile(path);
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') {
        throw new KlosetError('STORE_MISSING', 'there is no store', {
          object: this.location,
          remedy: 'Check the path, or create a store first.',
          cause,
        });
      }
      throw unreadable(path, cause);
    }
  }

  async *list(type: ObjectType, options: OperationOptions = {}): AsyncIterable<string> {
    const base = typeFolder(this.location, type);
    const folders = isSharded(type) ? shardsOf(base) : [base];
    for await (const folder of folders) {
      throwIfAborted(options.signal);
      for await (const name of namesIn(folder)) {
        if (isMac(name)) yield name;
      }
    }
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    const { path } = objectPath(this.location, ref);
    try {
      const stats = await stat(path);
      return { ref, bytes: stats.size };
    } catch (cause) {
      throw errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR'
        ? this.#missing(ref)
        : unreadable(path, cause);
    }
  }

  async put(ref: ObjectRef, source: ByteSource, options: PutOptions = {}): Promise<PutResult> {
    const { path } = objectPath(this.location, ref);
    try {
      if (ref.type !== 'lock' && source.sizeBytes !== undefined) {
        const present = await stat(path).catch(() => undefined);
        if (present?.size === source.sizeBytes) return { bytes: present.size, skipped: true };
      }
      return { bytes: await writeAtomically(path, contentOf(path, source, options)), skipped: false };
    } finally {
      source.held?.release();
    }
  }

  async get(ref: ObjectRef, options: GetOptions = {}): Promise<ObjectContent> {
    const { path } = objectPath(this.location, ref);
    const total = (await this.stat(ref)).bytes;
    const { range, signal } = options;
    if (range && (range.offset >= total || range.length <= 0)) {
      throw new KlosetError('RANGE_INVALID', `bytes from ${range.offset} lie outside of ${total} bytes`, {
        object: describeRef(ref),
      });
    }
    const start = range?.offset ?? 0;
    const bytes = range ? Math.min(range.length, total - start) : total;
    return { bytes, stream: readFilePart(path, start, bytes, signal) };
  }

  async delete(ref: ObjectRef): Promise<void> {
    const { path } = objectPath(this.location, ref);
    await onDisk(path, () => rm(path, { force: true }));
  }

  async verify(ref: ObjectRef, options: OperationOptions & { deep?: boolean } = {}): Promise<ObjectFinding> {
    try {
      const content = await this.get(ref, options.signal ? { signal: options.signal } : {});
      if (options.deep) for await (const _ of content.stream);
      return { ref, ok: true, bytes: content.bytes };
    } catch (error) {
      if (options.signal?.aborted) throw error;
      return { ref, ok: false, error: error as Error };
    }
  }

  async close(): Promise<void> {}

  /** Path of an object, for reading it as a file. */
  pathOf(ref: ObjectRef): string {
    return objectPath(this.location, ref).path;
  }

  #missing(ref: ObjectRef): KlosetError {
    return new KlosetError('OBJECT_MISSING', 'the store has no such object', {
      object: `${describeRef(ref)} in ${this.location}`,
    });
  }
}

/** What is put: poured into the file by the store that has it, where it can do that, else read from the source. */
function contentOf(path: string, source: ByteSource, options: PutOptions): FileContent {
  const pour = isStoredSource(source) ? source.pour : undefined;
  if (!pour) return bytesOf(source, options);
  const { signal, onSent: onMoved } = options;
  return (file) => pour({ file, path, signal, onMoved });
}

async function* shardsOf(base: string): AsyncGenerator<string, void, void> {
  for await (const name of namesIn(base)) {
    if (/^[0-9a-f]{2}$/.test(name)) yield join(base, name);
  }
}

async function* namesIn(folder: string): AsyncGenerator<string, void, void> {
  try {
    for await (const entry of await opendir(folder)) yield entry.name;
  } catch (cause) {
    // A folder that is not there yet, or that vanished under the walk, holds nothing.
    if (errnoOf(cause) !== 'ENOENT' && errnoOf(cause) !== 'ENOTDIR') throw unreadable(folder, cause);
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException)?.code;
}
