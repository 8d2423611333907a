import { asKlosetError } from '../errors.ts';
import { type Clock, systemClock } from '../flow/clock.ts';
import { ForwardingStore } from './forwardingStore.ts';
import type { ObjectRef } from './objectNames.ts';
import type { ByteRange, GetOptions, ObjectContent, ObjectStore } from './objectStore.ts';
import { TraceWriter } from './reads/traceWriter.ts';

/** Settings of a trace. */
export interface TracedStoreOptions {
  readonly clock?: Clock | undefined;
}

/**
 * A store that notes every read in a file (docs/read-path.md has its format): when, how long, of which object by its
 * ordinal, which bytes. No content, no names. A read is over when its last byte was taken.
 */
export class TracedStore extends ForwardingStore {
  readonly #clock: Clock;
  readonly #writer: TraceWriter;

  /**
   * The store below is closed with this one.
   *
   * @param path the file; traces are appended to it
   */
  constructor(inner: ObjectStore, path: string, options: TracedStoreOptions = {}) {
    super(inner);
    this.#clock = options.clock ?? systemClock;
    this.#writer = new TraceWriter(path, this.#clock.now());
  }

  override async get(ref: ObjectRef, options: GetOptions = {}): Promise<ObjectContent> {
    const startMs = this.#clock.now();
    const offset = options.range?.offset ?? 0;
    const note = (length: number, error?: unknown) => {
      const endMs = this.#clock.now();
      const code = error === undefined ? undefined : asKlosetError(error).code;
      this.#writer.read({ ref, startMs, endMs, offset, length, error: code });
    };
    let content: ObjectContent;
    try {
      content = await this.inner.get(ref, options);
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

  /** @throws KlosetError FILE_WRITE_FAILED when a part of the trace could not be written */
  override async close(): Promise<void> {
    try {
      await this.inner.close();
    } finally {
      await this.#writer.close();
    }
  }

  async #noteObject(ref: ObjectRef, options: { range?: ByteRange }, content: ObjectContent): Promise<void> {
    if (this.#writer.knows(ref)) return;
    if (!options.range) this.#writer.object(ref, content.bytes);
    // A lock is never remembered below, where the length of everything else costs no request after a read.
    else if (ref.type !== 'lock') {
      const stat = await this.inner.stat(ref).catch(() => undefined);
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
