import type { UploadMode } from '../registry/profiles.ts';

const FIRST_CHUNK_BYTES = 16 * 1024 * 1024;
const MIN_CHUNK_BYTES = 256 * 1024;
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;

/**
 * What one registry has shown to accept. Registries contradict each other (GHCR refuses chunks above 4 MiB, ECR
 * below 5 MiB, Google refuses chunks, proxies refuse large bodies), so that this is learned, once per host.
 */
export class HostMemory {
  #takesChunks = true;
  #maxBodyBytes = Number.POSITIVE_INFINITY;
  #chunkBytes = FIRST_CHUNK_BYTES;
  /** `POST ?digest=` with a body stores the blob in one request; `undefined` until tried. */
  singlePost: boolean | undefined;
  /** Settles when {@link singlePost} is known; absent while nobody asks. Never rejects. */
  probing: Promise<void> | undefined;
  /** The closing PUT has to carry the last chunk: an empty one failed (ECR). */
  commitWithLastChunk = false;
  /** A manifest with `artifactType` was refused: write the OCI 1.0 form. */
  artifactTypeRefused = false;

  /** The longest body that is worth trying, in bytes. */
  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }

  /** The chunk size that has worked, in bytes. */
  get chunkBytes(): number {
    return Math.min(this.#chunkBytes, this.#maxBodyBytes);
  }

  /**
   * The form for a blob.
   *
   * @param prefersWhole whether the digest is cheap to know beforehand, since it is part of the request that sends one
   *   body
   */
  formFor(bytes: number, prefersWhole: boolean, mode: UploadMode): 'chunked' | 'monolithic' {
    if (mode !== 'auto') return mode;
    if (!this.#takesChunks) return 'monolithic';
    return prefersWhole && bytes <= this.#maxBodyBytes ? 'monolithic' : 'chunked';
  }

  /** Chunks were refused, whatever their size. */
  chunksRefused(): void {
    this.#takesChunks = false;
  }

  get takesChunks(): boolean {
    return this.#takesChunks;
  }

  /**
   * A body was refused for its length. Returns false when there is nothing smaller left to try.
   *
   * @param leastBytes the shortest chunk that the registry takes, where it has said so
   */
  bodyRefused(bytes: number, leastBytes = 0): boolean {
    // What fails with a body as short as this is not its length: a reset under a lock of 300 bytes must not have all
    // packfiles sent in chunks of 299.
    const floor = Math.max(MIN_CHUNK_BYTES, leastBytes);
    if (bytes <= floor) return false;
    this.#maxBodyBytes = Math.min(this.#maxBodyBytes, Math.max(Math.floor(bytes / 2), floor));
    return true;
  }

  /** A blob of several chunks went through without a failure. */
  chunksWorked(): void {
    this.#chunkBytes = Math.min(this.#chunkBytes * 2, MAX_CHUNK_BYTES);
  }

  /**
   * A chunk was lost: on a bad link less is lost with a smaller one.
   *
   * @param bytes its length, unless it was the rest that a last chunk is
   */
  chunkFailed(bytes = Number.POSITIVE_INFINITY): void {
    const tried = Math.min(this.#chunkBytes, bytes);
    this.#chunkBytes = Math.max(Math.floor(tried / 2), MIN_CHUNK_BYTES);
  }
}
