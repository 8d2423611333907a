import type { Exchange } from '../../registry/exchange.ts';
import { getManifest } from '../../registry/manifests.ts';
import { cancelUpload } from '../../registry/uploads.ts';
import type { BlobJournal } from './blobJournal.ts';
import type { BlobPlace } from './format.ts';
import type { OnRemark } from './journalFolder.ts';
import { PushJournal } from './pushJournal.ts';

// What is cleared up at the end of a push holds it up no longer than this.
const CLEARING_TIMEOUT_MS = 1500;

/** Settings of the journals of an engine. */
export interface JournalsOptions {
  readonly folder: string;
  /** Length above which a blob is sent in chunks, in bytes. */
  readonly chunkedAboveBytes: number;
  readonly onRemark?: OnRemark | undefined;
}

/** The journals of an engine, one for each place that it pushes to, opened at the first push. */
export class Journals {
  readonly #options: JournalsOptions;
  readonly #open = new Map<string, Promise<PushJournal>>();

  constructor(options: JournalsOptions) {
    this.#options = options;
  }

  /** The part of the journal that is about one blob. Never fails. */
  async blob(exchange: Exchange, place: BlobPlace): Promise<BlobJournal> {
    return (await this.#journalOf(exchange)).blob(place);
  }

  /** An object is visible under its tag. */
  async committed(exchange: Exchange, tag: string): Promise<void> {
    (await this.#journalOf(exchange)).committed(tag);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(async (journal) => (await journal).close()));
  }

  #journalOf(exchange: Exchange): Promise<PushJournal> {
    const { origin, repository } = exchange.reference;
    const key = `${origin}/${repository}`;
    let journal = this.#open.get(key);
    if (!journal) {
      journal = PushJournal.open({
        ...this.#options,
        target: { origin, repository },
        cancel: (url) => cancelUpload(exchange, { url: new URL(url) }, CLEARING_TIMEOUT_MS),
        isCommitted: (tag) =>
          getManifest(exchange, tag, AbortSignal.timeout(CLEARING_TIMEOUT_MS)).then(
            (manifest) => manifest !== undefined,
            () => false,
          ),
      });
      this.#open.set(key, journal);
    }
    return journal;
  }
}
