/** A registry whose every operation ends when, and as, the test decides; and a crash that cuts the way to it. */
import type { ByteSource } from '../../src/engine/source.ts';
import { cancelled, KlosetError } from '../../src/errors.ts';
import { type ObjectRef, refOfTag, tagOf } from '../../src/store/objectNames.ts';
import type { ObjectStore, OperationOptions } from '../../src/store/objectStore.ts';

/** An operation that has reached the registry and was not answered. */
export interface WaitingOperation {
  readonly kind: 'put' | 'delete' | 'list' | 'get' | 'stat' | 'create';
  readonly ref: ObjectRef | undefined;
  readonly source: ByteSource | undefined;
  /** Takes effect. */
  land(): void;
  /** Answers, after it took effect or not. */
  answer(error?: KlosetError): void;
}

export class ModelRegistry {
  /** The tags that are there. */
  readonly tags = new Set<string>();
  readonly waiting: WaitingOperation[] = [];
  /** Called when a put has taken effect. */
  onStored: (ref: ObjectRef, source: ByteSource | undefined) => void = () => {};
  /** Called when a put ended because its signal did. */
  onCancelled: (source: ByteSource | undefined) => void = () => {};

  /** Whatever is waiting takes effect or not, as the bits say; nobody is answered any more. */
  crash(landed: number): void {
    for (const [at, operation] of this.waiting.splice(0).entries())
      if ((landed >> (at % 31)) & 1) operation.land();
  }

  /** The way of one process to the registry. */
  connect(): ObjectStore & { cut(): void } {
    let isCut = false;
    const ask = <T>(
      kind: WaitingOperation['kind'],
      effect: () => T,
      options: OperationOptions,
      ref?: ObjectRef,
      source?: ByteSource,
    ): Promise<T> =>
      new Promise((resolve, reject) => {
        // What a process that is gone would have done does not happen.
        if (isCut) return;
        let result: { value: T } | undefined;
        const operation: WaitingOperation = {
          kind,
          ref,
          source,
          land: () => {
            result ??= { value: effect() };
          },
          answer: (error) => {
            options.signal?.removeEventListener('abort', onAbort);
            if (error) return reject(error);
            operation.land();
            if (result) resolve(result.value);
          },
        };
        const onAbort = () => {
          const at = this.waiting.indexOf(operation);
          if (at < 0) return;
          this.waiting.splice(at, 1);
          this.onCancelled(source);
          reject(cancelled(options.signal?.reason));
        };
        options.signal?.addEventListener('abort', onAbort, { once: true });
        this.waiting.push(operation);
      });
    const missing = () => new KlosetError('OBJECT_MISSING', 'the store has no such object');
    const there = (ref: ObjectRef) => {
      if (!this.tags.has(tagOf(ref))) return missing();
      return undefined;
    };
    const { tags } = this;
    const stored = (ref: ObjectRef, source: ByteSource | undefined) => {
      tags.add(tagOf(ref));
      this.onStored(ref, source);
    };
    return {
      location: 'the model',
      cut: () => {
        isCut = true;
      },
      create: (_config, options = {}) => ask('create', () => {}, options),
      open: async () => new Uint8Array(),
      async *list(type, options = {}) {
        const found = await ask('list', () => [...tags].map(refOfTag), options);
        for (const ref of found) if (ref?.type === type) yield ref.mac;
      },
      stat: async (ref, options = {}) => {
        const error = await ask('stat', () => there(ref), options, ref);
        if (error) throw error;
        return { ref, bytes: 1 };
      },
      get: async (ref, options = {}) => {
        const error = await ask('get', () => there(ref), options, ref);
        if (error) throw error;
        return { bytes: 0, stream: (async function* () {})() };
      },
      put: async (ref, source, options = {}) => {
        await ask('put', () => stored(ref, source), options, ref, source);
        return { bytes: source.sizeBytes ?? 0, skipped: false };
      },
      delete: (ref, options = {}) => ask('delete', () => void tags.delete(tagOf(ref)), options, ref),
      verify: async (ref) => ({ ref, ok: true, bytes: 1 }),
      close: async () => {},
    };
  }
}
