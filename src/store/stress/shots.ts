import { randomBytes } from 'node:crypto';
import { isKlosetError } from '../../errors.ts';
import { readBlob } from '../../registry/blobs.ts';
import type { Exchange } from '../../registry/exchange.ts';
import { getManifest, OCI_MANIFEST_TYPE, putManifest } from '../../registry/manifests.ts';
import { cancelUpload, commitUpload, startUpload } from '../../registry/uploads.ts';
import { bodyOf, newBlob } from '../doctor/content.ts';
import type { OwnBlob } from '../doctor/context.ts';
import type { Trash } from '../doctor/trash.ts';
import { digestOf, EMPTY_CONFIG } from '../manifest.ts';
import { STRESS_TAG_PREFIX } from '../objectNames.ts';
import type { Shot } from './load.ts';
import type { Outcome } from './step.ts';

/** The kinds of request whose limits are looked for, the most limited ones first. */
export const LOADED_KINDS = ['manifest-write', 'upload-start', 'manifest-read'] as const;
export type LoadedKind = (typeof LOADED_KINDS)[number];

const CANCEL_TIMEOUT_MS = 1500;

/** Requests of a stress run, with objects of its own. */
export class Shots {
  readonly #exchange: Exchange;
  readonly #trash: Trash;
  readonly #signal: AbortSignal | undefined;
  readonly #tagBase = `${STRESS_TAG_PREFIX}${randomBytes(6).toString('hex')}`;
  #count = 0;

  /** @param exchange one that neither repeats nor holds back requests: the registry's own answers are what is looked for */
  constructor(exchange: Exchange, trash: Trash, signal: AbortSignal | undefined) {
    this.#exchange = exchange;
    this.#trash = trash;
    this.#signal = signal;
  }

  /** Stores what manifests and reads need. @throws KlosetError where the registry refuses it */
  async prepare(): Promise<void> {
    await this.#upload(EMPTY_CONFIG);
    await this.#putManifest(this.#firstTag);
  }

  /** One request of a kind. */
  of(kind: LoadedKind): Shot {
    const run = {
      'manifest-read': () => getManifest(this.#exchange, this.#firstTag, this.#signal),
      'manifest-write': () => this.#putManifest(`${this.#tagBase}-${++this.#count}`),
      // Two requests: a session that is left open would be the registry's to clean up.
      'upload-start': async () => {
        const session = await startUpload(this.#exchange);
        if (session !== 'mounted') await cancelUpload(this.#exchange, session, CANCEL_TIMEOUT_MS);
      },
    }[kind];
    return () => outcomeOf(run, this.#signal);
  }

  /** Sends a blob that the registry cannot have. Returns its bytes, 0 where it failed. */
  upload(bytes: number): () => Promise<{ readonly digest: string; readonly bytes: number }> {
    return async () => {
      const blob = newBlob(bytes);
      try {
        await this.#upload(blob);
        return { digest: blob.digest, bytes };
      } catch (error) {
        if (!isKlosetError(error) || this.#signal?.aborted) throw error;
        return { digest: '', bytes: 0 };
      }
    };
  }

  /** Reads a blob to its end. Returns its bytes, 0 where it failed. */
  download(digest: string): () => Promise<number> {
    return async () => {
      let bytes = 0;
      try {
        for await (const chunk of readBlob(this.#exchange, digest, { offset: 0 }, this.#signal))
          bytes += chunk.length;
        return bytes;
      } catch (error) {
        if (!isKlosetError(error) || this.#signal?.aborted) throw error;
        return 0;
      }
    };
  }

  get #firstTag(): string {
    return `${this.#tagBase}-0`;
  }

  async #upload({ digest, content }: OwnBlob): Promise<void> {
    const started = await startUpload(this.#exchange);
    if (started === 'mounted') return;
    const open = this.#trash.session(started);
    const answer = await commitUpload(this.#exchange, started, digest, bodyOf(content), undefined, {
      signal: this.#signal,
    });
    open.current = answer.session;
    if (!answer.ok) throw answer.error;
    open.closed();
    // The configuration is every artifact's: another may name it by now.
    if (digest !== EMPTY_CONFIG.digest) this.#trash.blob(digest, content.length);
  }

  async #putManifest(tag: string): Promise<void> {
    const layer = { mediaType: 'application/octet-stream', digest: EMPTY_CONFIG.digest, size: 2 };
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST_TYPE,
      config: { ...layer, mediaType: 'application/vnd.oci.image.config.v1+json' },
      layers: [layer],
      // No two may be one manifest: deleting it would take both tags.
      annotations: { 'org.kloset.stress': tag },
    });
    const bytes = Buffer.from(text);
    this.#trash.tag(tag);
    this.#trash.manifest(digestOf(bytes));
    await putManifest(this.#exchange, tag, bytes, this.#signal);
  }
}

async function outcomeOf(
  run: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<{ outcome: Outcome; retryAfterMs?: number | undefined }> {
  try {
    await run();
    return { outcome: 'accepted' };
  } catch (error) {
    if (!isKlosetError(error) || signal?.aborted) throw error;
    const { retryAfterMs, status } = error.details;
    // A proxy at its limit answers 503.
    const throttled = error.code === 'RATE_LIMITED' || status === 503;
    return { outcome: throttled ? 'throttled' : 'failed', retryAfterMs };
  }
}
