import { isKlosetError } from '../../errors.ts';
import { deleteBlob } from '../../registry/blobDelete.ts';
import type { Exchange } from '../../registry/exchange.ts';
import { deleteManifest, getManifest } from '../../registry/manifests.ts';
import { cancelUpload, type UploadSession } from '../../registry/uploads.ts';

/** What could not be taken away again. */
export interface Leftovers {
  readonly tags: readonly string[];
  /** Digests of manifests. */
  readonly manifests: readonly string[];
  /** Blobs that only garbage collection can take. */
  readonly blobs: number;
  readonly blobBytes: number;
}

const SESSION_TIMEOUT_MS = 1500;

/** Everything that an examination has made, until it is gone again. */
export class Trash {
  readonly #sessions = new Set<OpenSession>();
  readonly #tags = new Set<string>();
  readonly #manifests = new Set<string>();
  readonly #blobs = new Map<string, number>();

  /** A session that has to be cancelled unless it is closed. */
  session(session: UploadSession): OpenSession {
    const open = new OpenSession(session, () => this.#sessions.delete(open));
    this.#sessions.add(open);
    return open;
  }

  tag(tag: string): void {
    this.#tags.add(tag);
  }

  manifest(digest: string): void {
    this.#manifests.add(digest);
  }

  blob(digest: string, bytes: number): void {
    this.#blobs.set(digest, bytes);
  }

  /** Known to be gone already. */
  gone(reference: string): void {
    this.#tags.delete(reference);
    this.#manifests.delete(reference);
    this.#blobs.delete(reference);
  }

  /**
   * Cancels sessions and deletes tags, manifests and blobs, in this order; reports what would not go.
   *
   * @param lanes how many are deleted at once
   */
  async empty(exchange: Exchange, signal: AbortSignal, lanes = 1): Promise<Leftovers> {
    const sessions = [...this.#sessions].map((open) =>
      cancelUpload(exchange, open.current, SESSION_TIMEOUT_MS).then(() => open.closed()),
    );
    await Promise.all(sessions);
    // By tag first: some delete a manifest only once it has no tag, others have no deletion by tag.
    await each(this.#tags, lanes, async (tag) => {
      await attempt(() => deleteManifest(exchange, tag, signal));
    });
    await each(this.#manifests, lanes, async (digest) => {
      if (await attempt(() => deleteManifest(exchange, digest, signal))) this.#manifests.delete(digest);
    });
    await each(this.#tags, lanes, async (tag) => {
      // Some accept a deletion and do nothing: only a look tells. It is not repeated: where the tag could only be
      // deleted with its manifest, it would be taken for one that was just written, and be waited for.
      exchange.recentTags.deleted(tag);
      const gone = await getManifest(exchange, tag, signal).then(
        (manifest) => manifest === undefined,
        () => false,
      );
      if (gone) this.#tags.delete(tag);
    });
    // What a manifest that stays names has to stay too.
    if (this.#tags.size === 0 && this.#manifests.size === 0) {
      await each(this.#blobs.keys(), lanes, async (digest) => {
        if (await attempt(() => deleteBlob(exchange, digest, signal))) this.#blobs.delete(digest);
      });
    }
    return {
      tags: [...this.#tags],
      manifests: [...this.#manifests],
      blobs: this.#blobs.size,
      blobBytes: [...this.#blobs.values()].reduce((sum, bytes) => sum + bytes, 0),
    };
  }
}

/** An upload session that is not forgotten. */
export class OpenSession {
  /** With the newest Location. */
  current: UploadSession;
  readonly #onClosed: () => void;

  constructor(session: UploadSession, onClosed: () => void) {
    this.current = session;
    this.#onClosed = onClosed;
  }

  /** Committed, cancelled or gone. */
  closed(): void {
    this.#onClosed();
  }
}

async function each<T>(items: Iterable<T>, lanes: number, job: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await job(next.value);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function attempt(operation: () => Promise<unknown>): Promise<boolean> {
  try {
    await operation();
    return true;
  } catch (error) {
    if (!isKlosetError(error)) throw error;
    return false;
  }
}
