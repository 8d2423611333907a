import type { RequestBody } from '../registry/transport.ts';

/** A run of bytes of a blob, in memory. */
export interface Chunk {
  readonly offset: number;
  /** 0 only at the end of a payload whose length was not known. */
  readonly bytes: number;
  /** True when the blob ends with this chunk. */
  readonly last: boolean;
  /** The bytes from `skip` on, as often as they are needed. */
  body(skip?: number): RequestBody;
  /** The chunk is stored: its memory can be used again. */
  release(): void;
}

/** The bytes of one blob on their way up, and their hash. */
export interface Payload {
  /** Length in bytes, `undefined` until the end of a stream was seen. */
  readonly sizeBytes: number | undefined;
  /**
   * True when it costs little to know the digest before the first byte is sent: the blob is in memory, or a file that
   * is not too long to be read twice. Such a blob can go in one body.
   */
  readonly prefersWhole: boolean;
  /** True when any chunk can be had again, so that an upload can start over. */
  readonly replayable: boolean;
  /** The chunk at an offset, of at most `maxBytes`. Without `replayable`, offsets must ascend without gaps. */
  load(offset: number, maxBytes: number, signal?: AbortSignal): Promise<Chunk>;
  /** Starts to load the next chunk when there is room for it without waiting. */
  loadAhead(offset: number, maxBytes: number, signal?: AbortSignal): void;
  /** `sha256:<hex>` of the blob. Reads it through where not every byte was loaded yet. */
  digest(signal?: AbortSignal): Promise<string>;
  /** The blob in one body. Only for replayable payloads. */
  whole(): RequestBody;
  /** Before bytes are sent again: throws SOURCE_CHANGED when they are not what they were. */
  verifyUnchanged(): Promise<void>;
  /** Gives all memory back; resolves when nothing reads the source any more. */
  dispose(): Promise<void>;
}

/** The bytes from `skip` on of views in a row. */
export function bodyOf(views: readonly Uint8Array[], skip = 0): RequestBody {
  const rest: Uint8Array[] = [];
  let bytes = 0;
  let toSkip = skip;
  for (const view of views) {
    if (toSkip >= view.length) {
      toSkip -= view.length;
      continue;
    }
    const part = toSkip > 0 ? view.subarray(toSkip) : view;
    toSkip = 0;
    rest.push(part);
    bytes += part.length;
  }
  return { bytes, slices: () => rest };
}
