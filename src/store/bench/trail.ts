import type { TransportPolicy } from '../../registry/compose.ts';
import type { Exchange } from '../../registry/exchange.ts';
import type { RegistryRequest } from '../../registry/transport.ts';
import { type Leftovers, Trash } from '../doctor/trash.ts';
import { digestOf, EMPTY_CONFIG } from '../manifest.ts';
import { lastPart } from './meter.ts';
import { CLEAN_UP_REQUESTS } from './plan.ts';

const LANES = 8;

/**
 * What a run leaves at the registry, noted as it goes out: before the answer, since of what was interrupted nobody knows
 * whether it was done.
 */
export class Trail {
  #trash = new Trash();
  /** Of earlier rounds, where taking away was interrupted. */
  #unfinished: Trash[] = [];
  /** What all rounds need. */
  readonly #shared = new Trash();
  readonly #bytesOf = new Map<string, number>();
  /** False where others may need the configuration blob, too. */
  ownsRepository = true;
  #owed = 0;
  #left = { tags: 0, blobs: 0, blobBytes: 0 };

  /** Requests that {@link empty} will need, also for one that is about to be made. */
  owed(request?: RegistryRequest): number {
    return this.#owed + (request ? owes(request) : 0) + CLEAN_UP_REQUESTS.blob;
  }

  /** Tells of a blob that will be pushed. */
  expect(digest: string, bytes: number): void {
    this.#bytesOf.set(digest, bytes);
  }

  bytesOf(digest: string): number | undefined {
    return this.#bytesOf.get(digest);
  }

  readonly around: TransportPolicy = (next) => async (request) => {
    await this.#note(request);
    return next(request);
  };

  /** Takes away what is there by now; what it did not come to is left to the next call. */
  async empty(exchange: Exchange, signal: AbortSignal): Promise<void> {
    const all = [...this.#unfinished, this.#trash];
    this.#trash = new Trash();
    this.#unfinished = [];
    for (const trash of all) {
      const left = await trash.empty(exchange, signal, LANES);
      if (signal.aborted) this.#unfinished.push(trash);
      else this.#count(left);
    }
    this.#owed = 0;
    this.#bytesOf.clear();
  }

  /** Takes away the rest. @returns what is left of all rounds */
  async finish(exchange: Exchange, signal: AbortSignal): Promise<BenchLeftovers> {
    await this.empty(exchange, signal);
    for (const trash of this.#unfinished) this.#count(await trash.empty(exchange, signal));
    // What a manifest that stays names has to stay, too.
    if (this.#left.tags === 0) this.#count(await this.#shared.empty(exchange, signal));
    return this.#left;
  }

  async #note(request: RegistryRequest): Promise<void> {
    const { kind, url, body } = request;
    this.#owed += owes(request);
    if (kind === 'manifest-write') {
      this.#trash.tag(lastPart(url));
      const bytes: Uint8Array[] = [];
      for await (const slice of body?.slices() ?? []) bytes.push(slice);
      this.#trash.manifest(digestOf(Buffer.concat(bytes)));
    }
    const digest = url.searchParams.get('digest');
    if (kind !== 'upload-commit' || digest === null) return;
    if (digest !== EMPTY_CONFIG.digest) this.#trash.blob(digest, this.#bytesOf.get(digest) ?? 0);
    else if (this.ownsRepository) this.#shared.blob(digest, EMPTY_CONFIG.content.length);
  }

  #count({ tags, manifests, blobs, blobBytes }: Leftovers): void {
    const left = this.#left;
    this.#left = {
      tags: left.tags + Math.max(tags.length, manifests.length),
      blobs: left.blobs + blobs,
      blobBytes: left.blobBytes + blobBytes,
    };
  }
}

/** What could not be taken away again. */
export interface BenchLeftovers {
  readonly tags: number;
  /** Blobs that only garbage collection can take. */
  readonly blobs: number;
  readonly blobBytes: number;
}

function owes({ kind }: RegistryRequest): number {
  if (kind === 'manifest-write') return CLEAN_UP_REQUESTS.manifest;
  return kind === 'upload-commit' ? CLEAN_UP_REQUESTS.blob : 0;
}
