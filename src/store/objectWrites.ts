import { bufferSource } from '../engine/bufferSource.ts';
import type { Coordinator } from '../engine/coordinator.ts';
import type { ByteSource } from '../engine/source.ts';
import { isKlosetError, type KlosetError } from '../errors.ts';
import type { Exchange } from '../registry/exchange.ts';
import { describeReference } from '../registry/reference.ts';
import type { EmptyConfig } from './emptyConfig.ts';
import { inlineContent } from './inlineContent.ts';
import type { Layer } from './manifest.ts';
import type { ManifestWriter } from './manifestWriter.ts';
import { Mounts } from './mounts.ts';
import { named } from './naming.ts';
import { CONFIG_TAG, type ObjectRef, tagOf } from './objectNames.ts';
import type { PutOptions } from './objectStore.ts';
import type { Resolver } from './resolver.ts';
import { type StoredSource, sumBytes } from './storedSource.ts';

type Target = ObjectRef | 'CONFIG';

/** What writes to a repository work with. */
export interface WriteParts {
  readonly exchange: Exchange;
  readonly coordinator: Coordinator;
  readonly writer: ManifestWriter;
  readonly emptyConfig: EmptyConfig;
  readonly resolver: Resolver;
}

/** How objects get into the repository: their bytes first, then the manifest that makes them visible. */
export class ObjectWrites {
  readonly #parts: WriteParts;
  readonly #mounts: Mounts;

  constructor(parts: WriteParts) {
    this.#parts = parts;
    this.#mounts = new Mounts(parts.exchange);
  }

  /** Sends the bytes of an object, or of the configuration, and makes it visible. Returns their number. */
  async put(target: Target, source: ByteSource, options: PutOptions): Promise<number> {
    const { signal, onSent, onResumed, digest } = options;
    const onRetry = (error: KlosetError, delayMs: number) => {
      this.#parts.exchange.onRetry?.(error, delayMs);
      options.onRetry?.(error, delayMs);
    };
    const inline = await inlineContent(source, signal);
    const from = inline ? bufferSource(inline, source.name) : source;
    return named(target, this.#place(), async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          const configReady = this.#parts.emptyConfig.ensure();
          configReady.catch(() => {});
          const commit = async (blobs: readonly { digest: string; bytes: number }[]) => {
            await configReady;
            await this.#commit(
              target,
              blobs.map((blob) => ({ ...blob, data: inline })),
              signal,
            );
          };
          const blobs = await this.#parts.coordinator.push(
            from,
            { exchange: this.#parts.exchange, commit, tag: target === 'CONFIG' ? CONFIG_TAG : tagOf(target) },
            {
              signal,
              onSent,
              onRetry,
              onResumed,
              digest,
              urgent: target !== 'CONFIG' && target.type === 'lock',
            },
          );
          return sumBytes(blobs);
        } catch (error) {
          // The registry's garbage collection took a blob between its upload and the manifest.
          if (!isKlosetError(error, 'BLOB_MISSING') || !from.rereadable || attempt >= 2) throw error;
          this.#parts.emptyConfig.forget();
        }
      }
    });
  }

  /** Takes an object over from another repository of the registry. False when the bytes have to be sent. */
  async mount(ref: ObjectRef, source: StoredSource, signal: AbortSignal | undefined): Promise<boolean> {
    return named(ref, this.#place(), async () => {
      if (!(await this.#mounts.mount(source, signal))) return false;
      try {
        await this.#parts.emptyConfig.ensure();
        await this.#commit(ref, source.blobs, signal);
        return true;
      } catch (error) {
        // It said "mounted" and has it not: what is sent it will have.
        if (isKlosetError(error, 'BLOB_MISSING')) return false;
        throw error;
      }
    });
  }

  async #commit(target: Target, layers: readonly Layer[], signal: AbortSignal | undefined): Promise<void> {
    const manifest = await this.#parts.writer.object(target, layers, signal);
    this.#parts.resolver.remember(target === 'CONFIG' ? CONFIG_TAG : tagOf(target), manifest);
  }

  #place(): string {
    return describeReference(this.#parts.exchange.reference);
  }
}
