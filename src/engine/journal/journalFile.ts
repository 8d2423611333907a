import { close, fdatasync, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../../flow/clock.ts';
import { encodeLines, type JournalHeader, type JournalRecord } from './format.ts';
import { syncDelayMs } from './policy.ts';

const [datasync, closeFile] = [promisify(fdatasync), promisify(close)];

/**
 * The journal that this process writes. Lines are handed to the system as they come, so that they outlive the process;
 * they are synced to the disk now and then, so that most of them outlive a failure of the power. The file is made with
 * the first line. Nothing here throws: a push does not fail for its journal.
 *
 * Lines are written at once: through a thread two lines for each of 2,000 small files took a tenth of a push, and no byte
 * of a blob may leave before the line of its session is with the system. While a sync is under way they wait for it, as
 * some file systems would have the main thread do.
 */
export class JournalFile {
  readonly path: string;
  readonly #header: JournalHeader;
  readonly #clock: Clock;
  readonly #onFailure: (cause: unknown) => void;
  #fd: number | undefined;
  #waiting: JournalRecord[] = [];
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;
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
    if (this.#syncing) return this.#syncing;
    this.#write();
    return Promise.resolve();
  }

  /** Syncs what was written. */
  async sync(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    // One that is under way does not have what was written since it began.
    while (this.#syncing) await this.#syncing;
    if (this.#fd === undefined || !this.#dirty || this.#broken) return;
    this.#syncing = this.#sync(this.#fd).then(() => {
      this.#syncing = undefined;
      this.#write();
    });
    await this.#syncing;
  }

  /** Syncs and closes the file, where there is one. */
  async close(): Promise<void> {
    await this.sync();
    this.#broken = true;
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) await closeFile(fd).catch(() => {});
  }

  #write(): void {
    const records = this.#waiting;
    this.#waiting = [];
    if (this.#broken || records.length === 0) return;
    try {
      const first = this.#fd === undefined;
      // Locations may carry tokens of the registry: for the eyes of the user alone.
      this.#fd ??= openSync(this.path, 'ax', 0o600);
      const lines = Buffer.from(encodeLines(first ? [this.#header, ...records] : records));
      for (let done = 0; done < lines.length; ) done += writeSync(this.#fd, lines, done);
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

  async #sync(fd: number): Promise<void> {
    const first = this.syncs === 0;
    this.#dirty = false;
    this.#unsyncedBytes = 0;
    this.#lastSyncMs = this.#clock.now();
    this.syncs++;
    try {
      await datasync(fd);
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
