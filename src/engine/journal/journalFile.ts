import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../flow/clock.ts';
import { encodeLines, type JournalHeader, type JournalRecord } from './format.ts';
import { syncDelayMs } from './policy.ts';

/**
 * The journal that this process writes. Lines are handed to the system as they come, those of a moment together, so
 * that they outlive the process; they are synced to the disk now and then, so that most of them outlive a failure of
 * the power. The file is made with the first line. Nothing here throws: a push does not fail for its journal.
 */
export class JournalFile {
  readonly path: string;
  readonly #header: JournalHeader;
  readonly #clock: Clock;
  readonly #onFailure: (cause: unknown) => void;
  #handle: FileHandle | undefined;
  #waiting: JournalRecord[] = [];
  #writing: Promise<void> = Promise.resolve();
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #lastSyncMs = Number.NEGATIVE_INFINITY;
  #unsyncedBytes = 0;
  #dirty = false;
  #broken = false;
  /** Syncs so far, for tests. */
  syncs = 0;

  /** @param onFailure told once, when the journal cannot be kept any longer */
  constructor(path: string, header: JournalHeader, clock: Clock, onFailure: (cause: unknown) => void) {
    this.path = path;
    this.#header = header;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /**
   * Adds lines. Resolves when they are with the system.
   *
   * @param blobBytes how many bytes of blobs they acknowledge
   */
  append(records: readonly JournalRecord[], blobBytes = 0): Promise<void> {
    if (this.#broken || records.length === 0) return Promise.resolve();
    this.#unsyncedBytes += blobBytes;
    this.#waiting.push(...records);
    // Those that gather while others are written go in the next write together.
    if (this.#waiting.length > records.length) return this.#writing;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** Syncs what was written. */
  async sync(): Promise<void> {
    await this.#writing;
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    this.#syncing = this.#syncing.then(() => this.#sync());
    await this.#syncing;
  }

  /** Syncs and closes the file, where there is one. */
  async close(): Promise<void> {
    await this.sync();
    this.#broken = true;
    await this.#handle?.close().catch(() => {});
    this.#handle = undefined;
  }

  async #write(): Promise<void> {
    const records = this.#waiting;
    this.#waiting = [];
    if (this.#broken) return;
    try {
      const first = this.#handle === undefined;
      // Locations may carry tokens of the registry: for the eyes of the user alone.
      this.#handle ??= await open(this.path, 'ax', 0o600);
      await this.#handle.appendFile(encodeLines(first ? [this.#header, ...records] : records));
      this.#dirty = true;
      this.#planSync();
    } catch (cause) {
      this.#broken = true;
      this.#onFailure(cause);
    }
  }

  #planSync(): void {
    const delayMs = syncDelayMs(this.#clock.now() - this.#lastSyncMs, this.#unsyncedBytes);
    if (this.#syncTimer && delayMs > 0) return;
    clearTimeout(this.#syncTimer);
    this.#syncTimer = setTimeout(() => void this.sync(), delayMs).unref();
  }

  async #sync(): Promise<void> {
    if (!this.#handle || !this.#dirty || this.#broken) return;
    const first = this.syncs === 0;
    this.#dirty = false;
    this.#unsyncedBytes = 0;
    this.#lastSyncMs = this.#clock.now();
    this.syncs++;
    try {
      await this.#handle.datasync();
      if (first) await syncFolder(dirname(this.path));
    } catch (cause) {
      this.#broken = true;
      this.#onFailure(cause);
    }
  }
}

/** A name is on the disk only once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch {
    // Some systems sync no folders.
  } finally {
    await folder.close();
  }
}
