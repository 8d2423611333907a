import type { UploadSession } from '../../registry/uploads.ts';
import { keyOf, type OpenSession } from './content.ts';
import type { BlobPlace, JournalRecord } from './format.ts';
import { REMEMBERED_BYTES } from './policy.ts';

/** A session of an earlier run, under its number in the journal of this one. */
export interface KeptSession extends OpenSession {
  readonly id: number;
}

/** What the blobs of a push share: their journal, and what earlier runs have left. */
export interface JournalState {
  /** Sessions of earlier runs that may be continued, by {@link keyOf} their place. */
  readonly kept: Map<string, KeptSession>;
  /** Digests of blobs that earlier runs have stored. */
  readonly storedDigests: Set<string>;
  /** Places whose blobs earlier runs have stored, by their keys. */
  readonly storedPlaces: Set<string>;
  /** Places whose blobs were on their way, and may have arrived without a note of it. */
  readonly underWayPlaces: Set<string>;
  nextId(): number;
  append(records: readonly JournalRecord[], blobBytes?: number): Promise<void>;
}

/** The part of the journal that is about one blob: what there is to take up, and what is noted of its way up. */
export class BlobJournal {
  readonly #state: JournalState;
  readonly #place: BlobPlace;
  #id: number | undefined;
  #confirmedBytes = 0;

  constructor(state: JournalState, place: BlobPlace) {
    this.#state = state;
    this.#place = place;
  }

  /** Whether an earlier run has stored the blob of these very bytes, so that its digest is worth knowing first. */
  get wasStored(): boolean {
    return this.#place.file !== undefined && this.#state.storedPlaces.has(keyOf(this.#place));
  }

  /** Whether it is worth asking the journal for the digest of this blob. */
  get remembersBlobs(): boolean {
    return this.#wasUnderWay || (this.#place.bytes >= REMEMBERED_BYTES && this.#state.storedDigests.size > 0);
  }

  /**
   * Whether the registry may have a blob of this digest from an earlier run. It is so once: a registry that says so,
   * and then refuses the manifest because the blob is missing, has to get the blob again.
   */
  takeStored(digest: string): boolean {
    const { storedDigests, storedPlaces, underWayPlaces } = this.#state;
    const key = keyOf(this.#place);
    storedPlaces.delete(key);
    const wasUnderWay = underWayPlaces.delete(key);
    return storedDigests.delete(digest) || wasUnderWay;
  }

  get #wasUnderWay(): boolean {
    return this.#state.underWayPlaces.has(keyOf(this.#place));
  }

  /** The session in which an earlier run has left this blob; given out once. */
  takeSession(): OpenSession | undefined {
    if (!this.#place.file) return undefined;
    const key = keyOf(this.#place);
    const session = this.#state.kept.get(key);
    this.#state.kept.delete(key);
    this.#id = session?.id;
    this.#confirmedBytes = session?.confirmedBytes ?? 0;
    return session;
  }

  /** True when so much of the blob was acknowledged that its session is worth more than a new one. */
  get isWorthKeeping(): boolean {
    return this.#place.file !== undefined && this.#id !== undefined && this.#confirmedBytes > 0;
  }

  /**
   * A session was opened. Resolves when that is noted: from then on a later run can cancel it, and so no byte is sent
   * before.
   */
  async opened(session: UploadSession): Promise<void> {
    this.#id = this.#state.nextId();
    this.#confirmedBytes = 0;
    await this.#state.append([{ type: 'session', id: this.#id, url: session.url.href, place: this.#place }]);
  }

  /** The registry has acknowledged all bytes before an offset. */
  confirmed(session: UploadSession, bytes: number, chunkBytes: number): void {
    if (this.#id === undefined) return;
    const newBytes = bytes - this.#confirmedBytes;
    this.#confirmedBytes = bytes;
    void this.#state.append(
      [{ type: 'confirmed', id: this.#id, url: session.url.href, bytes, chunkBytes }],
      newBytes,
    );
  }

  /** The session is committed, cancelled or gone. */
  closed(): void {
    if (this.#id === undefined) return;
    void this.#state.append([{ type: 'closed', id: this.#id }]);
    this.#id = undefined;
  }

  /** The blob is in the registry. */
  stored(digest: string): void {
    if (this.#place.bytes < REMEMBERED_BYTES) return;
    void this.#state.append([{ type: 'stored', digest, place: this.#place }], this.#place.bytes);
  }
}
