import type { UploadMode } from '../registry/profiles.ts';
import type { HostFacts } from './hostFacts.ts';

const MIB = 1024 * 1024;
const FIRST_CHUNK_BYTES = 16 * MIB;
const MIN_CHUNK_BYTES = MIB / 4;
const MAX_CHUNK_BYTES = 64 * MIB;

/**
 * What one registry has shown to accept. Registries contradict each other (GHCR refuses chunks above 4 MiB, ECR
 * below 5 MiB, Google refuses chunks, proxies refuse large bodies), so that this is learned, once per host; what is
 * known beforehand is not learned at the registry's expense.
 */
export class HostMemory {
  #known: HostFacts = {};
  #learned: { -readonly [Name in keyof HostFacts]: HostFacts[Name] } = {};
  /** What the registry may have shown: good for this process, and no more. */
  #suspected: { bodyMaxBytes?: number } = {};
  /** The longest body that has passed, in bytes. */
  #passedBytes = 0;
  #source: (() => Promise<HostFacts>) | undefined;
  #ready: Promise<void> | undefined;
  /** Settles when {@link singlePost} is known; absent while nobody asks. Never rejects. */
  probing: Promise<void> | undefined;

  /** Where facts come from, asked once, by the first who needs them. What it fails with is not told: nothing is known then. */
  askFirst(source: () => Promise<HostFacts>): void {
    this.#source = source;
  }

  /** Resolves when what is known beforehand is here. */
  async ready(): Promise<void> {
    if (!this.#source) return;
    this.#ready ??= this.#source().then(
      (facts) => this.seed(facts),
      () => {},
    );
    await this.#ready;
  }

  /** Takes facts over. What was learned here, and what earlier facts said, stays. */
  seed(facts: HostFacts): void {
    this.#known = { ...facts, ...this.#known };
  }

  /** What the registry has shown, as far as it was not known before. */
  get learned(): HostFacts {
    return { ...this.#learned };
  }

  /** Everything that is known. */
  get facts(): HostFacts {
    return { ...this.#known, ...this.#learned, ...this.#suspected };
  }

  /** Notes what the registry has shown. */
  learn(facts: HostFacts): void {
    const known = this.facts;
    for (const [name, value] of Object.entries(facts)) {
      if (value !== undefined && value !== known[name as keyof HostFacts]) {
        Object.assign(this.#learned, { [name]: value });
      }
    }
  }

  /** `POST ?digest=` with a body stores the blob in one request; `undefined` until tried. */
  get singlePost(): boolean | undefined {
    return this.facts.singlePost;
  }

  set singlePost(value: boolean) {
    this.learn({ singlePost: value });
  }

  /** The closing PUT has to carry the last chunk: an empty one failed (ECR). */
  get commitWithLastChunk(): boolean {
    return this.facts.commitWithLastChunk ?? false;
  }

  set commitWithLastChunk(value: boolean) {
    this.learn({ commitWithLastChunk: value });
  }

  /** A manifest with `artifactType` was refused: write the OCI 1.0 form. */
  get artifactTypeRefused(): boolean {
    return this.facts.artifactTypeRefused ?? false;
  }

  set artifactTypeRefused(value: boolean) {
    this.learn({ artifactTypeRefused: value });
  }

  /** The longest body that is worth trying, in bytes. */
  get maxBodyBytes(): number {
    return this.facts.bodyMaxBytes ?? Number.POSITIVE_INFINITY;
  }

  /** The longest blob that the registry stores, in bytes. */
  get maxBlobBytes(): number {
    return this.facts.blobMaxBytes ?? Number.POSITIVE_INFINITY;
  }

  /** All chunks but the last have to be at least this long, in bytes. */
  get minChunkBytes(): number {
    return this.facts.chunkMinBytes ?? 1;
  }

  /** The longest chunk that is worth trying, in bytes. */
  get maxChunkBytes(): number {
    return Math.min(this.facts.chunkMaxBytes ?? Number.POSITIVE_INFINITY, this.maxBodyBytes);
  }

  /** The chunk size that has worked, in bytes. */
  get chunkBytes(): number {
    const { chunkBytes = FIRST_CHUNK_BYTES, chunkStepBytes = 1 } = this.facts;
    const bytes = Math.min(chunkBytes, this.maxChunkBytes);
    return bytes > chunkStepBytes ? bytes - (bytes % chunkStepBytes) : bytes;
  }

  /**
   * The form for a blob.
   *
   * @param prefersWhole whether the digest is cheap to know beforehand, since it is part of the request that sends one
   *   body
   */
  formFor(bytes: number, prefersWhole: boolean, mode: UploadMode): 'chunked' | 'monolithic' {
    if (mode !== 'auto') return mode;
    if (!this.takesChunks) return 'monolithic';
    const whole = prefersWhole || this.facts.prefersWhole === true;
    return whole && bytes <= this.maxBodyBytes ? 'monolithic' : 'chunked';
  }

  /** Chunks were refused, whatever their size. */
  chunksRefused(): void {
    this.learn({ takesChunks: false });
  }

  get takesChunks(): boolean {
    return this.facts.takesChunks ?? true;
  }

  /**
   * A body was refused for its length. Returns false when there is nothing smaller left to try.
   *
   * @param leastBytes the shortest chunk that the registry takes, where it has said so
   */
  bodyRefused(bytes: number, leastBytes = 0): boolean {
    // What fails with a body as short as this is not its length: a reset under a lock of 300 bytes must not have all
    // packfiles sent in chunks of 299.
    const floor = Math.max(MIN_CHUNK_BYTES, leastBytes, this.minChunkBytes);
    if (bytes <= floor) return false;
    const bodyMaxBytes = Math.min(this.maxBodyBytes, Math.max(Math.floor(bytes / 2), floor));
    this.#suspected = {};
    this.learn({ bodyMaxBytes });
    return true;
  }

  /**
   * The connection broke under a body, which is also how some proxies refuse a long one. On a bad line it means
   * nothing, so that it is not kept for later processes, and not believed of a length that has passed: one reset in a
   * hundred requests once had a whole backup sent in chunks, for twice the requests.
   */
  bodySuspected(bytes: number): void {
    if (bytes <= Math.max(MIN_CHUNK_BYTES, this.#passedBytes)) return;
    this.#suspected.bodyMaxBytes = Math.min(this.maxBodyBytes, Math.max(bytes - 1, MIN_CHUNK_BYTES));
  }

  /** A body went through: no shorter one broke for its length. */
  bodyPassed(bytes: number): void {
    this.#passedBytes = Math.max(this.#passedBytes, bytes);
    if (bytes > (this.#suspected.bodyMaxBytes ?? Number.POSITIVE_INFINITY)) this.#suspected = {};
  }

  /** A blob of several chunks went through without a failure. */
  chunksWorked(): void {
    this.learn({ chunkBytes: Math.min((this.facts.chunkBytes ?? FIRST_CHUNK_BYTES) * 2, MAX_CHUNK_BYTES) });
  }

  /**
   * A chunk was lost: on a bad link less is lost with a smaller one.
   *
   * @param bytes its length, unless it was the rest that a last chunk is
   */
  chunkFailed(bytes = Number.POSITIVE_INFINITY): void {
    const tried = Math.min(this.facts.chunkBytes ?? FIRST_CHUNK_BYTES, bytes);
    this.learn({ chunkBytes: Math.max(Math.floor(tried / 2), MIN_CHUNK_BYTES) });
  }
}
