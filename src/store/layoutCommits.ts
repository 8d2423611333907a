import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KlosetError } from '../errors.ts';
import { onDisk, writeAtomically } from './atomicFile.ts';
import { INDEX_FILE, JOURNAL_FILE, layoutState, readIfThere, writeLayoutFiles } from './layoutFiles.ts';
import { journalLine, LayoutIndex, parseJournal, type TagChange } from './layoutIndex.ts';

interface Waiter {
  readonly change: TagChange;
  readonly onlyIfAbsent: boolean;
  readonly resolve: (done: boolean) => void;
  readonly reject: (error: unknown) => void;
}

// Rewritten when the journal is as long as the index was, so that all rewrites together cost twice the last one.
const MIN_JOURNAL_CHANGES = 1000;

/**
 * The tags of a layout. `index.json` names every manifest: rewriting it for each one would cost n² for n objects. So a
 * change is appended to a journal and flushed, together with those that came meanwhile, and the index is rewritten
 * when the journal has grown as long, and at the end. A journal that a crash left is taken into the index by the next
 * writer. One process writes at a time; a second one is noticed and ends with an error.
 */
export class LayoutCommits {
  readonly #root: string;
  readonly #journalPath: string;
  readonly #indexPath: string;
  #loading: Promise<LayoutIndex> | undefined;
  /** How `index.json` looked when it was last read or written here. */
  #seen = '';
  #hasOldJournal = false;
  #journal: FileHandle | undefined;
  #journalChanges = 0;
  #waiters: Waiter[] = [];
  #flushing: Promise<void> | undefined;
  #rewrittenBytes = 0;

  constructor(root: string) {
    this.#root = root;
    this.#journalPath = join(root, JOURNAL_FILE);
    this.#indexPath = join(root, INDEX_FILE);
  }

  /** Bytes of `index.json` that were written, in all its versions. */
  get rewrittenBytes(): number {
    return this.#rewrittenBytes;
  }

  /** The tags as they are now. Read once; what this process commits is seen at once. */
  index(): Promise<LayoutIndex> {
    this.#loading ??= this.#load().catch((error) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /**
   * Resolves when the change is on disk; with `false`, unchanged, where the tag was to be new and is not.
   *
   * @throws KlosetError DISK_FULL, FILE_WRITE_FAILED
   */
  commit(change: TagChange, onlyIfAbsent = false): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ change, onlyIfAbsent, resolve, reject });
      this.#flushing ??= this.#flushAll().finally(() => {
        this.#flushing = undefined;
      });
    });
  }

  /** Takes the journal into the index, where there is one of this process. */
  async close(): Promise<void> {
    await this.#flushing;
    if (!this.#journal) return;
    const journal = this.#journal;
    this.#journal = undefined;
    try {
      await this.#checkOwner(journal);
      await this.#rewriteIndex(await this.index());
    } finally {
      await journal.close();
    }
  }

  async #load(): Promise<LayoutIndex> {
    const isNew = (await layoutState(this.#root)) === 'new';
    this.#seen = await this.#lookAtIndex();
    const bytes = await readIfThere(this.#indexPath);
    if (isNew && !bytes) return new LayoutIndex();
    // An image layout without an index is none; taking it for an empty one would hide all that it held.
    const index = LayoutIndex.parse(bytes ?? new Uint8Array(), this.#indexPath);
    const journal = await readIfThere(this.#journalPath);
    this.#hasOldJournal = journal !== undefined;
    for (const change of journal ? parseJournal(journal) : []) index.apply(change);
    return index;
  }

  async #flushAll(): Promise<void> {
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters.splice(0);
      try {
        const done = await this.#flush(waiters);
        for (const [at, waiter] of waiters.entries()) waiter.resolve(done[at] ?? false);
      } catch (error) {
        for (const waiter of waiters) waiter.reject(error);
      }
    }
  }

  async #flush(waiters: readonly Waiter[]): Promise<boolean[]> {
    const index = await this.index();
    const journal = await this.#openJournal(index);
    await this.#checkOwner(journal);
    const taken = new Set<string>();
    const done = waiters.map(({ change: { tag }, onlyIfAbsent }) => {
      if (onlyIfAbsent && (index.tags.has(tag) || taken.has(tag))) return false;
      taken.add(tag);
      return true;
    });
    const changes = waiters.filter((_, at) => done[at]).map(({ change }) => change);
    await this.#append(journal, changes);
    for (const change of changes) index.apply(change);
    this.#journalChanges += changes.length;
    if (this.#journalChanges >= Math.max(MIN_JOURNAL_CHANGES, index.tags.size / 2)) {
      await this.#rewriteIndex(index);
      await journal.close();
      this.#journal = undefined;
    }
    return done;
  }

  async #append(journal: FileHandle, changes: readonly TagChange[]): Promise<void> {
    try {
      await onDisk(this.#journalPath, async () => {
        await journal.appendFile(changes.map(journalLine).join(''));
        await journal.datasync();
      });
    } catch (error) {
      // Half a line may be there now, and would hide all that follow it: the next change starts a journal of its own.
      this.#journal = undefined;
      this.#hasOldJournal = true;
      await journal.close();
      throw error;
    }
  }

  async #openJournal(index: LayoutIndex): Promise<FileHandle> {
    if (this.#journal) return this.#journal;
    if ((await layoutState(this.#root)) === 'new') {
      await writeLayoutFiles(this.#root, index.serialise());
      this.#seen = await this.#lookAtIndex();
    }
    if (this.#hasOldJournal) await this.#rewriteIndex(index);
    this.#hasOldJournal = false;
    this.#journalChanges = 0;
    this.#journal = await onDisk(this.#journalPath, () => open(this.#journalPath, 'ax', 0o600)).catch(
      (error) => {
        throw (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EEXIST'
          ? this.#otherWriter(error)
          : error;
      },
    );
    return this.#journal;
  }

  /** Writes all tags to the index; the journal is not needed any more then. */
  async #rewriteIndex(index: LayoutIndex): Promise<void> {
    if ((await this.#lookAtIndex()) !== this.#seen) throw this.#otherWriter();
    this.#rewrittenBytes += await writeAtomically(this.#indexPath, [index.serialise()]);
    this.#seen = await this.#lookAtIndex();
    await onDisk(this.#journalPath, () => rm(this.#journalPath, { force: true }));
  }

  /** A journal that somebody else has removed is written into nothing. */
  async #checkOwner(journal: FileHandle): Promise<void> {
    if ((await journal.stat()).nlink === 0) throw this.#otherWriter();
  }

  async #lookAtIndex(): Promise<string> {
    const stats = await stat(this.#indexPath, { bigint: true }).catch(() => undefined);
    return stats ? `${stats.ino} ${stats.size} ${stats.mtimeNs}` : '';
  }

  #otherWriter(cause?: unknown): KlosetError {
    return new KlosetError('FILE_WRITE_FAILED', 'another program writes to this image layout', {
      object: this.#root,
      remedy: 'Let it end, and run the command again: what was stored is kept.',
      cause,
    });
  }
}
