/** Reads a stretch of a blob piece by piece. */
export interface BlobReader {
  /** The next piece, or undefined at the end. A piece is overwritten by the second-next call. */
  next(): Buffer | undefined | Promise<Buffer | undefined>;
  /** `clean` promises that no earlier piece is in use any more, so that its memory may be used again. */
  close(clean: boolean): void;
}

/** Takes the bytes of one upload. */
export interface UploadSink {
  /** Takes the chunk over; false asks the caller to wait for {@link drained} before the next one. */
  write(chunk: Buffer): boolean;
  /** Resolves when there is room again, rejects when a write failed. */
  drained(): Promise<void>;
  /** Everything written so far, once more. */
  reread(): Promise<BlobReader>;
  discard(): Promise<void>;
}

/** What is remembered of a manifest beside its bytes. */
export interface ManifestRecord {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly subject?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface StoredRepository {
  readonly name: string;
  readonly blobs: readonly string[];
  readonly manifests: readonly ManifestRecord[];
  readonly tags: readonly (readonly [tag: string, digest: string])[];
}

export interface StoredContent {
  /** The size of every blob, by digest. */
  readonly blobs: ReadonlyMap<string, number>;
  readonly repositories: readonly StoredRepository[];
}

/**
 * Where the bytes and the links live. It decides nothing: the catalogue knows what exists, and callers make sure
 * that no two operations on the same thing overlap. What a call stored is whole and visible once it resolved.
 */
export interface Storage {
  load(): Promise<StoredContent>;
  createUpload(id: string): UploadSink;
  /** Turns a finished upload into the blob of that digest; replaces the one that is there. */
  publish(sink: UploadSink, digest: string): Promise<void>;
  openBlob(digest: string, start: number, end: number): Promise<BlobReader | undefined>;
  replaceBlob(digest: string, bytes: Uint8Array): Promise<void>;
  removeBlob(digest: string): Promise<void>;
  linkBlob(repository: string, digest: string): Promise<void>;
  unlinkBlob(repository: string, digest: string): Promise<void>;
  putManifest(repository: string, record: ManifestRecord, bytes: Buffer): Promise<void>;
  readManifest(repository: string, digest: string): Promise<Buffer | undefined>;
  removeManifest(repository: string, digest: string): Promise<void>;
  putTag(repository: string, tag: string, digest: string): Promise<void>;
  removeTag(repository: string, tag: string): Promise<void>;
}
