import { CANCEL_TIMEOUT_MS } from '../engine/uploadAttempt.ts';
import { isKlosetError, throwIfAborted } from '../errors.ts';
import type { Exchange } from '../registry/exchange.ts';
import { cancelUpload, startUpload, type UploadSession } from '../registry/uploads.ts';
import { INLINE_LIMIT_BYTES } from './manifest.ts';
import { type StoredSource, sumBytes } from './storedSource.ts';

// A registry that refuses this many in a row mounts nothing, or nothing of that repository. One refusal may be about
// one blob.
const MAX_REFUSALS = 3;

/** Takes blobs over from another repository of the same registry, which moves no bytes. */
export class Mounts {
  readonly #exchange: Exchange;
  readonly #refusals = new Map<string, number>();

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** True when the repository now has all blobs of an object; false when its bytes have to be sent. */
  async mount(source: StoredSource, signal: AbortSignal | undefined): Promise<boolean> {
    const { repository: from, blobs } = source;
    if (!from || from.origin !== this.#exchange.reference.origin) return false;
    // Small content rides in the manifest, which has to be known for that.
    if (sumBytes(blobs) <= INLINE_LIMIT_BYTES && blobs.some(({ bytes, data }) => bytes > 0 && !data))
      return false;
    for (const { digest } of blobs) {
      throwIfAborted(signal);
      const refusals = this.#refusals.get(from.repository) ?? 0;
      if (refusals >= MAX_REFUSALS) return false;
      const answer = await this.#ask(digest, from.repository);
      if (answer !== 'mounted') {
        this.#refusals.set(from.repository, refusals + 1);
        if (answer) await cancelUpload(this.#exchange, answer, CANCEL_TIMEOUT_MS);
        return false;
      }
      this.#refusals.delete(from.repository);
    }
    return true;
  }

  async #ask(digest: string, from: string): Promise<UploadSession | 'mounted' | undefined> {
    try {
      return await startUpload(this.#exchange, { digest, from });
    } catch (error) {
      // Registries answer 4xx where the specification asks for a session; what is really wrong the upload will tell.
      if (isKlosetError(error) && error.details.status !== undefined) return undefined;
      throw error;
    }
  }
}
