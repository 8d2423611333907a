import type { ByteSource } from '../engine/source.ts';
import { asKlosetError } from '../errors.ts';
import { type Clock, systemClock } from '../flow/clock.ts';
import type { MacList } from './macList.ts';
import type { ObjectRef, ObjectType } from './objectNames.ts';
import type {
  ByteRange,
  GetOptions,
  ObjectContent,
  ObjectFinding,
  ObjectStat,
  ObjectStore,
  OperationOptions,
  PutOptions,
  PutResult,
} from './objectStore.ts';
import { TraceWriter } from './reads/traceWriter.ts';

/** Settings of a trace. */
export interface TracedStoreOptions {
  readonly clock?: Clock | undefined;
}

/**
 * A store that notes every read in a file (docs/read-path.md has its format): when, how long, of which object by its
 * ordinal, which bytes. No content, no names. A read is over when its last byte was taken.
 */
export class TracedStore implements ObjectStore {
  readonly location: string;
  readonly #inner: ObjectStore;
  readonly #clock: Clock;
  readonly #writer: TraceWriter;

  /**
   * The store below is closed with this one.
   *
   * @param path the file; traces are appended to it
   */
  constructor(inner: ObjectStore, path: string, options: TracedStoreOptions = {}) {
    this.location = inner.location;
    this.#inner = inner;
    this.#clock = options.clock ?? systemClock;
    this.#writer = new TraceWriter(path, this.#clock.now());
  }

  create(config: Uint8Array, options?: OperationOptions): Promise<void> {
    return this.#inner.create(config, options);
  }

  open(options?: OperationOptions): Promise<Uint8Array> {
    return this.#inner.open(options);
  }

  list(type: ObjectType, options?: OperationOptions): MacList {
    return this.#inner.list(type, options);
  }

  stat(ref: ObjectRef, options?: OperationOptions): Promise<ObjectStat> {
    return this.#inner.stat(ref, options);
  }

  put(ref: ObjectRef, source: ByteSource, options?: PutOptions): Promise<PutResult> {
    return this.#inner.put(ref, source, options);
  }

  async get(ref: ObjectRef, options: GetOptions = {}): Promise<ObjectContent> {
    const startMs = this.#clock.now();
    const offset = options.range?.offset ?? 0;
    const note = (length: number, error?: unknown) => {
      const endMs = this.#clock.now();
      const code = error === undefined ? undefined : asKlosetError(error).code;
      this.#writer.read({ ref, startMs, endMs, offset, length, error: code });
    };
    let content: ObjectContent;
    try {
      content = await this.#inner.get(ref, options);
    } catch (error) {
      note(options.range?.length ?? 0, error);
      throw error;
    }
    await this.#noteObject(ref, options, content);
    if (content.parts) {
      note(content.bytes);
      return content;
    }
    return { ...content, stream: notedAtItsEnd(content, note) };
  }

  delete(ref: ObjectRef, options?: OperationOptions): Promise<void> {
    return this.#inner.delete(ref, options);
  }

  verify(ref: ObjectRef, options?: OperationOptions & { deep?: boolean }): Promise<ObjectFinding> {
    return this.#inner.verify(ref, options);
  }

  /** @throws KlosetError FILE_WRITE_FAILED when a part of the trace could not be written */
  async close(): Promise<void> {
    try {
      await this.#inner.close();
    } finally {
      await this.#writer.close();
    }
  }

  async #noteObject(ref: ObjectRef, options: { range?: ByteRange }, content: ObjectContent): Promise<void> {
    if (this.#writer.knows(ref)) return;
    if (!options.range) this.#writer.object(ref, content.bytes);
    // A lock is never remembered below, where the length of everything else costs no request after a read.
    else if (ref.type !== 'lock') {
      const stat = await this.#inner.stat(ref).catch(() => undefined);
      if (stat) this.#writer.object(ref, stat.bytes);
    }
  }
}

async function* notedAtItsEnd(
  content: ObjectContent,
  note: (length: number, error?: unknown) => void,
): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  let failure: unknown;
  try {
    for await (const chunk of content.stream) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // Also where the reader has had enough before the end.
    note(failure === undefined ? bytes : content.bytes, failure);
  }
}
