import type { BlobReader, ManifestRecord, Storage, StoredContent, UploadSink } from './storage.ts';

class MemorySink implements UploadSink {
  chunks: Buffer[] = [];

  write(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    return true;
  }

  async drained(): Promise<void> {}

  async reread(): Promise<BlobReader> {
    return readChunks(this.chunks, 0, Number.POSITIVE_INFINITY);
  }

  async discard(): Promise<void> {
    this.chunks = [];
  }
}

/** Keeps everything in memory, blobs as the chunks in which they came from the socket. */
export class MemoryStorage implements Storage {
  readonly #blobs = new Map<string, readonly Buffer[]>();
  readonly #manifests = new Map<string, Buffer>();

  async load(): Promise<StoredContent> {
    return { blobs: new Map(), repositories: [] };
  }

  createUpload(): UploadSink {
    return new MemorySink();
  }

  async publish(sink: UploadSink, digest: string): Promise<void> {
    this.#blobs.set(digest, (sink as MemorySink).chunks);
  }

  async openBlob(digest: string, start: number, end: number): Promise<BlobReader | undefined> {
    const chunks = this.#blobs.get(digest);
    return chunks && readChunks(chunks, start, end);
  }

  async replaceBlob(digest: string, bytes: Uint8Array): Promise<void> {
    this.#blobs.set(digest, [Buffer.from(bytes)]);
  }

  async removeBlob(digest: string): Promise<void> {
    this.#blobs.delete(digest);
  }

  async linkBlob(): Promise<void> {}

  async unlinkBlob(): Promise<void> {}

  async putManifest(repository: string, record: ManifestRecord, bytes: Buffer): Promise<void> {
    this.#manifests.set(`${repository}@${record.digest}`, bytes);
  }

  async readManifest(repository: string, digest: string): Promise<Buffer | undefined> {
    return this.#manifests.get(`${repository}@${digest}`);
  }

  async removeManifest(repository: string, digest: string): Promise<void> {
    this.#manifests.delete(`${repository}@${digest}`);
  }

  async putTag(): Promise<void> {}

  async removeTag(): Promise<void> {}
}

function readChunks(chunks: readonly Buffer[], start: number, end: number): BlobReader {
  let index = 0;
  let skip = start;
  let left = end - start;
  return {
    next() {
      for (;;) {
        const chunk = chunks[index];
        if (chunk === undefined || left <= 0) return undefined;
        index++;
        if (skip >= chunk.length) {
          skip -= chunk.length;
          continue;
        }
        const piece = chunk.subarray(skip, Math.min(chunk.length, skip + left));
        skip = 0;
        left -= piece.length;
        return piece;
      }
    },
    close() {},
  };
}
