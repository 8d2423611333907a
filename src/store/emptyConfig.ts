import { bufferSource } from '../engine/bufferSource.ts';
import type { Coordinator } from '../engine/coordinator.ts';
import { probeSinglePost } from '../engine/monolithicUpload.ts';
import { cancelled } from '../errors.ts';
import { headBlob } from '../registry/blobs.ts';
import type { Exchange } from '../registry/exchange.ts';
import { EMPTY_CONFIG } from './manifest.ts';

// It has no tag of its own; in a journal there has to be one.
const JOURNAL_TAG = 'configuration-blob';

/** The two-byte configuration blob of all manifests: it goes up once per repository, not once per object. */
export class EmptyConfig {
  readonly #exchange: Exchange;
  readonly #coordinator: Coordinator;
  readonly #end = new AbortController();
  #ready: Promise<void> | undefined;

  constructor(exchange: Exchange, coordinator: Coordinator) {
    this.#exchange = exchange;
    this.#coordinator = coordinator;
  }

  /** Resolves when the repository has it; all callers share one attempt. */
  ensure(): Promise<void> {
    this.#ready ??= this.#upload().catch((error) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  /** The registry may have collected it as garbage: look again. */
  forget(): void {
    this.#ready = undefined;
  }

  /** Stops an upload that nobody waits for any more; resolves when its session is cancelled. */
  async close(): Promise<void> {
    this.#end.abort(cancelled());
    await this.#ready?.catch(() => {});
  }

  async #upload(): Promise<void> {
    const { content, digest } = EMPTY_CONFIG;
    const { signal } = this.#end;
    const host = this.#coordinator.host(this.#exchange.reference.origin);
    await host.ready();
    if (host.singlePost === undefined && this.#coordinator.uploadMode === 'auto') {
      // Without looking for it first: what two bytes cost is a round trip, and the first packfiles wait for the answer.
      const journal = () => this.#coordinator.journalOf(this.#exchange, JOURNAL_TAG, content.length);
      if (await probeSinglePost(this.#exchange, host, digest, content, signal, journal)) return;
    } else if ((await headBlob(this.#exchange, digest, signal)) !== undefined) return;
    const sink = { exchange: this.#exchange, commit: async () => {}, tag: JOURNAL_TAG };
    const source = bufferSource(content, 'the empty configuration blob');
    // The objects that wait for it may hold all places in the queue.
    await this.#coordinator.push(source, sink, { signal, urgent: true });
  }
}
