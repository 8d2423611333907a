import { isKlosetError, KlosetError } from '../errors.ts';
import { headBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import type { UploadMode } from '../registry/profiles.ts';
import { cancelUpload, startUpload, type UploadSession } from '../registry/uploads.ts';
import type { HostMemory } from './hostMemory.ts';
import type { BlobJournal } from './journal/blobJournal.ts';

/** A blob that the registry has. */
export interface UploadedBlob {
  readonly digest: string;
  readonly bytes: number;
}

/** What the forms of upload share. */
export interface UploadContext {
  readonly exchange: Exchange;
  readonly host: HostMemory;
  readonly mode: UploadMode;
  /** A chunk size that the user insists on, in bytes. */
  readonly chunkBytes: number | undefined;
  /** The largest chunk that fits into memory, in bytes. */
  readonly memoryBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onSent?: ((bytes: number) => void) | undefined;
  readonly onRetry?: ((error: KlosetError, delayMs: number) => void) | undefined;
  /** Where the way of this blob is noted, for a later run; absent where nobody will continue it. */
  readonly journal?: BlobJournal | undefined;
  /** Told when a blob is continued, with the bytes that an earlier run has sent. */
  readonly onResumed?: ((bytes: number) => void) | undefined;
}

/** How one attempt ended. */
export type Outcome =
  | { readonly kind: 'stored'; readonly blob: UploadedBlob }
  /** Start over in a new session, in the form that the host memory now says. */
  | {
      readonly kind: 'again';
      readonly error: KlosetError;
      /** How far into the blob the attempt got, in bytes. */
      readonly reachedBytes?: number;
      readonly free?: boolean;
    };

/** What a session is opened with. */
export interface SessionOptions {
  /** Ends the wait for the session's turn; an answer on its way is waited for, to be cancelled. */
  readonly signal?: AbortSignal | undefined;
  readonly journal?: BlobJournal | undefined;
  /** A session of an earlier run, in place of a new one. */
  readonly earlier?: UploadSession | undefined;
}

/**
 * The session of one attempt: opened while the bytes are still being hashed, replaced with each answer, and
 * cancelled when it is left behind.
 */
export class SessionHolder {
  readonly #exchange: Exchange;
  readonly #signal: AbortSignal | undefined;
  readonly #journal: BlobJournal | undefined;
  #opening: Promise<UploadSession> | undefined;
  #closed = false;

  constructor(exchange: Exchange, { signal, journal, earlier }: SessionOptions = {}) {
    this.#exchange = exchange;
    this.#signal = signal;
    this.#journal = journal;
    if (earlier) this.#opening = Promise.resolve(earlier);
  }

  /** Starts the request without waiting for it. */
  prepare(): void {
    this.get().catch(() => {});
  }

  get(): Promise<UploadSession> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** The newest Location, for the next request and for the cancellation. */
  moved(session: UploadSession): void {
    this.#opening = Promise.resolve(session);
  }

  /** All bytes before an offset are with the registry. */
  async confirmed(bytes: number, chunkBytes: number): Promise<void> {
    if (this.#journal) this.#journal.confirmed(await this.get(), bytes, chunkBytes);
  }

  /** Committed, or known to be gone: there is nothing to cancel. */
  closed(): void {
    this.#closed = true;
    this.#journal?.closed();
  }

  /** Leaves the session for a later run, where that is worth it. */
  leave(): void {
    if (this.#journal?.isWorthKeeping) this.#closed = true;
  }

  /** Cancels a session that will not be used any more. */
  async abandon(): Promise<void> {
    if (this.#closed || !this.#opening) return;
    this.#closed = true;
    const session = await this.#opening.catch(() => undefined);
    if (session) await cancelUpload(this.#exchange, session, CANCEL_TIMEOUT_MS);
    this.#journal?.closed();
  }

  async #open(): Promise<UploadSession> {
    const session = await startUpload(this.#exchange, undefined, this.#signal);
    if (session === 'mounted') throw new KlosetError('INTERNAL', 'a mount was not asked for');
    await this.#journal?.opened(session);
    return session;
  }
}

// An interrupted push is to end within two seconds.
export const CANCEL_TIMEOUT_MS = 1500;

/**
 * After a commit that failed: proxies time out and registries answer 500 while the blob is in fact stored.
 *
 * @returns the blob when the registry has it in full
 */
export async function storedAfterAll(
  exchange: Exchange,
  digest: string,
  bytes: number,
  signal?: AbortSignal,
): Promise<UploadedBlob | undefined> {
  try {
    return (await headBlob(exchange, digest, signal)) === bytes ? { digest, bytes } : undefined;
  } catch (error) {
    // The registry that just failed may fail again; the attempt that follows finds out.
    if (isKlosetError(error, 'CANCELLED')) throw error;
    return undefined;
  }
}

/** True when an answer says that the body was too long, in any of the ways in which registries say it. */
export function saysTooLarge(error: KlosetError): boolean {
  if (error.code === 'BODY_TOO_LARGE') return true;
  return error.details.status === 416 && /too large|exceeds|maximum permissible/i.test(error.summary);
}

/** True when the connection broke while sending, which is how some proxies refuse a long body. */
export function brokeWhileSending(error: KlosetError): boolean {
  return error.code === 'CONNECTION_LOST' || error.code === 'STALLED';
}

/** Failures that a further attempt cannot mend. */
export function isHopeless(error: KlosetError, exchange: Exchange): boolean {
  // A host that has answered before may come back; one that was waited for in vain until the time was up will not.
  if (error.code === 'REGISTRY_UNREACHABLE') {
    return !exchange.host?.health.answered || error.details.tried !== undefined;
  }
  return (
    [
      'AUTH_REQUIRED',
      'ACCESS_DENIED',
      'QUOTA_EXCEEDED',
      'CREDENTIALS_UNUSABLE',
      'TOKEN_SERVICE_FAILED',
      'REPOSITORY_UNKNOWN',
      'CANCELLED',
      'SOURCE_CHANGED',
      'SOURCE_UNREADABLE',
    ].includes(error.code) ||
    error.code.startsWith('TLS_') ||
    error.code === 'REGISTRY_FOREIGN'
  );
}
