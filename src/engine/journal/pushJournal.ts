import { rm } from 'node:fs/promises';
import { type Clock, systemClock } from '../../flow/clock.ts';
import { type FileIdentity, identityOf, sameFile } from '../fileIdentity.ts';
import { BlobJournal, type JournalState, type KeptSession } from './blobJournal.ts';
import { keyOf, type OpenSession, type StoredBlob } from './content.ts';
import { type BlobPlace, JOURNAL_VERSION, type JournalRecord, type JournalTarget } from './format.ts';
import { JournalFile } from './journalFile.ts';
import { type ClaimedJournal, JournalFolder, type OnRemark } from './journalFolder.ts';

/** What a journal needs of the engine. */
export interface PushJournalOptions {
  readonly folder: string;
  readonly target: JournalTarget;
  /** Cancels a session that nobody will continue. Must not fail. */
  readonly cancel: (url: string) => Promise<void>;
  /** Whether the object under a tag is there. Must not fail: where it cannot be told, it is not. */
  readonly isCommitted: (tag: string) => Promise<boolean>;
  /** Length above which a blob is sent in chunks, so that there is something to continue, in bytes. */
  readonly chunkedAboveBytes: number;
  readonly onRemark?: OnRemark | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * The journal of the pushes of a process to one place: what has to be known to continue them after they were killed.
 *
 * It holds no hash states. A blob that is continued is read and hashed from its start, beside the sending, at the
 * speed of the disk: that proves that what the registry holds is still the beginning of the file, which a saved state
 * would only claim.
 *
 * Whatever fails about the journal is a remark; a push without one is a push that starts over.
 */
export class PushJournal {
  readonly #options: PushJournalOptions;
  readonly #folder: JournalFolder | undefined;
  readonly #file: JournalFile | undefined;
  readonly #state: JournalState;
  /** Numbers of the sessions that are open, those of earlier runs included. */
  readonly #open = new Set<number>();
  /** Tags of objects of this run that have a blob in the registry, but no manifest. */
  readonly #uncommitted = new Set<string>();
  readonly #underWay = new Set<string>();
  #clearing: Promise<unknown> = Promise.resolve();

  private constructor(
    options: PushJournalOptions,
    folder: JournalFolder | undefined,
    file: JournalFile | undefined,
    stored: readonly StoredBlob[],
  ) {
    this.#options = options;
    this.#folder = folder;
    this.#file = file;
    let ids = 0;
    this.#state = {
      kept: new Map(),
      storedDigests: new Set(stored.map(({ digest }) => digest)),
      storedPlaces: new Set(stored.map(({ place }) => keyOf(place))),
      underWayPlaces: this.#underWay,
      nextId: () => ++ids,
      append: (records, blobBytes) => this.#append(records, blobBytes),
    };
  }

  /** Opens a journal, and takes over those of earlier pushes to the same place that have ended. Never fails. */
  static async open(options: PushJournalOptions): Promise<PushJournal> {
    const { folder: path, target, onRemark = () => {}, clock = systemClock } = options;
    const failed = (cause: unknown) =>
      onRemark(`this push cannot be resumed: no journal can be kept in ${path} (${reasonOf(cause)})`);
    let folder: JournalFolder | undefined;
    let file: JournalFile | undefined;
    let earlier: readonly ClaimedJournal[] = [];
    try {
      folder = await JournalFolder.open(path, onRemark);
      const header = { type: 'journal', version: JOURNAL_VERSION, ...target } as const;
      file = new JournalFile(folder.newPath(target), header, clock, failed);
      earlier = await folder.claim(target);
    } catch (cause) {
      failed(cause);
    }
    const stored = distinctBlobs(earlier.flatMap((journal) => (journal.expired ? [] : journal.stored)));
    const journal = new PushJournal(options, folder, file, stored);
    if (earlier.length > 0) await journal.#takeOver(earlier, stored);
    return journal;
  }

  /** The part about one blob. */
  blob(place: BlobPlace): BlobJournal {
    return new BlobJournal(this.#state, place);
  }

  /** An object is visible under its tag: its blobs need not be remembered. */
  committed(tag: string): void {
    this.#uncommitted.delete(tag);
  }

  /** Ends the journal; the file stays where a session, or a blob without its manifest, is left for a later run. */
  async close(): Promise<void> {
    await Promise.all([...this.#state.kept.values()].map((session) => this.#settle(session)));
    await this.#clearing;
    await this.#file?.close();
    if (!this.#file || !this.#folder) return;
    const { path } = this.#file;
    const over =
      this.#open.size + this.#uncommitted.size === 0
        ? rm(path, { force: true })
        : this.#folder.release(path, this.#options.target);
    await over.catch(() => {});
  }

  /**
   * Keeps what can be continued and cancels the rest. The earlier journals go only once this one has on the disk what
   * was in them.
   */
  async #takeOver(earlier: readonly ClaimedJournal[], stored: readonly StoredBlob[]): Promise<void> {
    const records = stored.map((blob) => ({ type: 'stored', ...blob }) as const);
    // Most of them are objects by now; those that are not, and that this run does not come to, are sent again one day.
    await this.#file?.append(records);
    const found = earlier.flatMap(({ sessions, expired }) =>
      sessions.map((session) => ({ session, expired })),
    );
    // Of two sessions for the same bytes the one that has more of them.
    found.sort((one, other) => other.session.confirmedBytes - one.session.confirmedBytes);
    const cancelled: Promise<void>[] = [];
    const settled = new Set<string>();
    for (const { session, expired } of found) {
      // A push that was killed while it took over has left two journals of one session: it must not be kept by the
      // one and cancelled by the other.
      if (settled.has(sessionOf(session))) continue;
      settled.add(sessionOf(session));
      if (!expired && (await this.#canContinue(session))) await this.#keep(session);
      else {
        this.#underWay.add(keyOf(session.place));
        cancelled.push(this.#options.cancel(session.url));
      }
    }
    await this.#file?.sync();
    this.#clearing = Promise.all(cancelled).then(() =>
      Promise.all(earlier.map(({ path }) => rm(path, { force: true }).catch(() => {}))),
    );
  }

  async #canContinue({ place, confirmedBytes }: OpenSession): Promise<boolean> {
    if (this.#state.kept.has(keyOf(place))) return false;
    // What went in one body has nothing to continue.
    if (confirmedBytes === 0 && place.bytes <= this.#options.chunkedAboveBytes) return false;
    return place.file !== undefined && (await isUnchanged(place.file));
  }

  async #keep(session: OpenSession): Promise<void> {
    const { place, url, confirmedBytes: bytes, chunkBytes } = session;
    const id = this.#state.nextId();
    this.#state.kept.set(keyOf(place), { ...session, id });
    const records: JournalRecord[] = [{ type: 'session', id, url, place }];
    if (chunkBytes !== undefined) records.push({ type: 'confirmed', id, url, bytes, chunkBytes });
    await this.#append(records);
  }

  /** A session that this run did not continue stays for a later one, unless its object is there by now. */
  async #settle({ id, place, url }: KeptSession): Promise<void> {
    if (!(await this.#options.isCommitted(place.tag))) return;
    await this.#options.cancel(url);
    await this.#append([{ type: 'closed', id }]);
  }

  #append(records: readonly JournalRecord[], blobBytes?: number): Promise<void> {
    for (const record of records) {
      if (record.type === 'session') this.#open.add(record.id);
      else if (record.type === 'closed') this.#open.delete(record.id);
      else if (record.type === 'stored') this.#uncommitted.add(record.place.tag);
    }
    return this.#file?.append(records, blobBytes) ?? Promise.resolve();
  }
}

/** What stays the same in the locations of a session: state changes in the query with every answer. */
function sessionOf({ url }: OpenSession): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function distinctBlobs(blobs: readonly StoredBlob[]): StoredBlob[] {
  return [...new Map(blobs.map((blob) => [keyOf(blob.place), blob])).values()];
}

async function isUnchanged(file: FileIdentity): Promise<boolean> {
  const now = await identityOf(file.path).catch(() => undefined);
  return now !== undefined && sameFile(now, file);
}

function reasonOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException)?.code ?? String(cause);
}
