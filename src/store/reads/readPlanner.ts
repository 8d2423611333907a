import type { ReadPolicy } from './readPolicy.ts';

/** Blocks of one object by their numbers, `to` not included. */
export interface BlockRange {
  readonly from: number;
  readonly to: number;
}

/** What to fetch because of one read. */
export interface ReadPlan {
  /** The blocks that the read needs. */
  readonly wanted: BlockRange;
  /** Blocks to fetch in the same request when one that is needed is missing; encloses `wanted`. */
  readonly around: BlockRange;
  /** Blocks to fetch before they are asked for. */
  readonly ahead: Ahead | undefined;
}

/** What to fetch ahead of a stream. */
export interface Ahead {
  readonly range: BlockRange;
  /** The stream goes towards the beginning: the blocks are needed from the last one on. */
  readonly descending: boolean;
  /** Tells how many of the blocks, in the stream's direction, will be there; the rest is planned again. */
  took(blocks: number): void;
}

interface Stream {
  /** Where the last read began and ended. */
  low: number;
  high: number;
  /** 1 towards the end, -1 towards the beginning, 0 while one read does not tell. */
  direction: -1 | 0 | 1;
  /** Bytes that were read in a row. */
  readBytes: number;
  /** The block up to which the stream was fetched, in its direction; `to` when ascending, `from` when descending. */
  edge: number;
  lastUse: number;
}

/**
 * Decides what to fetch for the reads of one object. Pure: no sockets, no clock, no memory of what is cached; the
 * same reads give the same plans.
 */
export class ReadPlanner {
  readonly #policy: ReadPolicy;
  readonly #bytes: number;
  readonly #blocks: number;
  readonly #streams: Stream[] = [];
  #uses = 0;

  /** @param bytes length of the object */
  constructor(policy: ReadPolicy, bytes: number) {
    this.#policy = policy;
    this.#bytes = bytes;
    this.#blocks = Math.ceil(bytes / policy.blockBytes);
  }

  /** The plan for a read of bytes that lie inside the object. */
  plan(offset: number, length: number): ReadPlan {
    const { blockBytes, wholeBytes, windowBytes } = this.#policy;
    const end = offset + length;
    const wanted = { from: Math.floor(offset / blockBytes), to: Math.ceil(end / blockBytes) };
    if (this.#bytes <= wholeBytes) return { wanted, around: { from: 0, to: this.#blocks }, ahead: undefined };

    const stream = this.#streamOf(offset, end);
    const continued = stream.readBytes > 0;
    stream.low = offset;
    stream.high = end;
    stream.readBytes += length;
    stream.lastUse = ++this.#uses;
    if (stream.direction >= 0) stream.edge = Math.max(stream.edge, wanted.to);
    else stream.edge = Math.min(stream.edge, wanted.from);
    const ahead = this.#aheadOf(stream, length);
    if (continued) return { wanted, around: wanted, ahead };
    const half = windowBytes / 2;
    const around = {
      from: Math.min(wanted.from, Math.max(0, Math.floor((offset - half) / blockBytes))),
      to: Math.max(wanted.to, Math.min(this.#blocks, Math.ceil((offset + half) / blockBytes))),
    };
    return { wanted, around, ahead };
  }

  /** The stream that a read belongs to: the one whose end is nearest, else a new one in place of the idlest. */
  #streamOf(offset: number, end: number): Stream {
    let best: Stream | undefined;
    let direction: Stream['direction'] = 0;
    let nearest = this.#policy.nearBytes + 1;
    for (const stream of this.#streams) {
      const up = Math.abs(offset - stream.high);
      const down = Math.abs(end - stream.low);
      if (stream.direction >= 0 && up < nearest) [best, direction, nearest] = [stream, 1, up];
      if (stream.direction <= 0 && down < nearest) [best, direction, nearest] = [stream, -1, down];
    }
    if (best) {
      if (best.direction === 0) {
        best.direction = direction;
        best.edge = direction === 1 ? best.edge : Math.floor(best.low / this.#policy.blockBytes);
      }
      return best;
    }
    const fresh: Stream = { low: 0, high: 0, direction: 0, readBytes: 0, edge: 0, lastUse: 0 };
    if (this.#streams.length < this.#policy.streams) this.#streams.push(fresh);
    else this.#streams[this.#idlest()] = fresh;
    return fresh;
  }

  #idlest(): number {
    let idlest = 0;
    for (const [index, stream] of this.#streams.entries()) {
      if (stream.lastUse < (this.#streams[idlest] as Stream).lastUse) idlest = index;
    }
    return idlest;
  }

  #aheadOf(stream: Stream, length: number): Ahead | undefined {
    const { blockBytes, bulkBytes, aheadRatio, maxAheadBytes, requestBytes } = this.#policy;
    // One read in the middle of nowhere says nothing about the next, unless it is a long one.
    if (stream.direction === 0 && length < bulkBytes) return undefined;
    const depth = Math.min(maxAheadBytes, stream.readBytes * aheadRatio);
    const quantum = Math.max(1, Math.min(depth / 2, requestBytes) / blockBytes);
    const { direction } = stream;
    if (direction >= 0) {
      const from = stream.edge;
      const to = Math.min(this.#blocks, Math.ceil((stream.high + depth) / blockBytes));
      // Small steps would be small requests; at the end of the object there is no larger one to wait for.
      if (to - from < quantum && !(to === this.#blocks && to > from)) return undefined;
      return {
        range: { from, to },
        descending: false,
        took: (blocks) => {
          stream.edge = from + blocks;
        },
      };
    }
    const to = stream.edge;
    const from = Math.max(0, Math.floor((stream.low - depth) / blockBytes));
    if (to - from < quantum && !(from === 0 && to > 0)) return undefined;
    return {
      range: { from, to },
      descending: true,
      took: (blocks) => {
        stream.edge = to - blocks;
      },
    };
  }
}
