import { randomUUID } from 'node:crypto';
import { close, open, rename, unlink } from 'node:fs';
import { mkdir, open as openHandle, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { DirectoryLayout, encodeManifest, splitManifest } from './directoryLayout.ts';
import { loadDirectory } from './directoryLoad.ts';
import { FileReader } from './fileReader.ts';
import { FileSink } from './fileSink.ts';
import type { BlobReader, ManifestRecord, Storage, StoredContent, UploadSink } from './storage.ts';

// The promise forms of these calls go through file handles or extra objects; the callback forms are lighter.
const renameFile = promisify(rename);
const unlinkFile = promisify(unlink);
const openFile = promisify(open);
const closeFile = promisify(close);

/**
 * Keeps everything in a folder; docs/emulator.md describes it. Each file is written under `uploads/` and renamed
 * into place, so that whatever is visible is whole. One process at a time may serve a folder.
 */
export class DirectoryStorage implements Storage {
  readonly #layout: DirectoryLayout;
  readonly #durable: boolean;
  readonly #folders = new Set<string>();

  constructor(root: string, durable: boolean) {
    this.#layout = new DirectoryLayout(root);
    this.#durable = durable;
  }

  async load(): Promise<StoredContent> {
    // What lies here was being written when the last process ended, and belongs to no session any more.
    await rm(this.#layout.uploads, { recursive: true, force: true });
    await mkdir(this.#layout.uploads, { recursive: true });
    await mkdir(this.#layout.repositories, { recursive: true });
    return loadDirectory(this.#layout);
  }

  createUpload(id: string): UploadSink {
    return new FileSink(this.#layout.upload(id));
  }

  async publish(sink: UploadSink, digest: string): Promise<void> {
    const file = sink as FileSink;
    await file.finish(this.#durable);
    await this.#moveTo(file.path, this.#layout.blob(digest));
  }

  async openBlob(digest: string, start: number, end: number): Promise<BlobReader | undefined> {
    return orUndefined(FileReader.open(this.#layout.blob(digest), start, end));
  }

  async replaceBlob(digest: string, bytes: Uint8Array): Promise<void> {
    await this.#store(this.#layout.blob(digest), bytes);
  }

  async removeBlob(digest: string): Promise<void> {
    await orUndefined(unlinkFile(this.#layout.blob(digest)));
  }

  async linkBlob(repository: string, digest: string): Promise<void> {
    const path = this.#layout.blobLink(repository, digest);
    await this.#folderOf(path);
    // The link is its name: an empty file cannot be half-written.
    await closeFile(await openFile(path, 'a'));
  }

  async unlinkBlob(repository: string, digest: string): Promise<void> {
    await orUndefined(unlinkFile(this.#layout.blobLink(repository, digest)));
  }

  async putManifest(repository: string, record: ManifestRecord, bytes: Buffer): Promise<void> {
    await this.#store(this.#layout.manifest(repository, record.digest), encodeManifest(record, bytes));
  }

  async readManifest(repository: string, digest: string): Promise<Buffer | undefined> {
    const file = await orUndefined(readFile(this.#layout.manifest(repository, digest)));
    return file && splitManifest(file).bytes;
  }

  async removeManifest(repository: string, digest: string): Promise<void> {
    await orUndefined(unlinkFile(this.#layout.manifest(repository, digest)));
  }

  async putTag(repository: string, tag: string, digest: string): Promise<void> {
    await this.#store(this.#layout.tag(repository, tag), Buffer.from(digest));
  }

  async removeTag(repository: string, tag: string): Promise<void> {
    await orUndefined(unlinkFile(this.#layout.tag(repository, tag)));
  }

  async #store(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = this.#layout.upload(randomUUID());
    try {
      const handle = await openHandle(temporary, 'wx');
      try {
        await handle.writeFile(bytes);
        if (this.#durable) await handle.sync();
      } finally {
        await handle.close();
      }
      await this.#moveTo(temporary, path);
    } catch (error) {
      await unlinkFile(temporary).catch(() => {});
      throw error;
    }
  }

  async #moveTo(from: string, to: string): Promise<void> {
    await this.#folderOf(to);
    await renameFile(from, to);
    if (!this.#durable) return;
    // The name is on the disk only once its folder is.
    const folder = await openHandle(dirname(to), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async #folderOf(path: string): Promise<void> {
    const folder = dirname(path);
    if (this.#folders.has(folder)) return;
    await mkdir(folder, { recursive: true });
    this.#folders.add(folder);
  }
}

async function orUndefined<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
