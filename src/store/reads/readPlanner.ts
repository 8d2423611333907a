import type { ReadPolicy } from './readPolicy.ts';
import { ReadStream } from './readStream.ts';

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
  /** Whether the read goes on where an earlier one was. */
  readonly step: boolean;
}

/** What to fetch ahead of a stream. */
export interface Ahead {
  readonly range: BlockRange;
  /** The stream goes towards the beginning: the blocks are needed from the last one on. */
  readonly descending: boolean;
  /** Tells how many of the blocks, in the stream's direction, will be there; the rest is planned again. */
  took(blocks: number): void;
}

/**
 * Decides what to fetch for the reads of one object. Pure: no sockets, no clock, no knowledge of what is cached; the
 * same reads with the same credit give the same plans.
 */
export class ReadPlanner {
  readonly #policy: ReadPolicy;
  readonly #blocks: number;
  readonly #whole: BlockRange | undefined;
  readonly #streams: ReadStream[] = [];
  #reads = 0;

  /** @param bytes length of the object */
  constructor(policy: ReadPolicy, bytes: number) {
    this.#policy = policy;
    this.#blocks = Math.ceil(bytes / policy.blockBytes);
    if (bytes <= policy.wholeBytes) this.#whole = { from: 0, to: this.#blocks };
  }

  /**
   * The plan for a read of bytes that lie inside the object.
   *
   * @param creditBytes how much may be fetched ahead now
   */
  plan(offset: number, length: number, creditBytes: number): ReadPlan {
    const { blockBytes, bulkBytes, openingBytes } = this.#policy;
    const end = offset + length;
    const wanted = { from: Math.floor(offset / blockBytes), to: Math.ceil(end / blockBytes) };
    if (this.#whole) return { wanted, around: this.#whole, ahead: undefined, step: false };

    const first = this.#reads++ === 0;
    const known = this.#find(offset, end);
    const around = known ? wanted : this.#window(offset, wanted);
    const stream = known ?? this.#open(around);
    const step = stream.read(offset, end, this.#reads) && known !== undefined;
    let ahead: Ahead | undefined;
    // One short read in the middle of nowhere says nothing about the next.
    if (known || length >= bulkBytes) ahead = stream.ahead(creditBytes);
    else if (first && creditBytes >= openingBytes) ahead = this.#opening(creditBytes);
    return { wanted, around, ahead, step };
  }

  /** The stream that a read belongs to: one that it touches or nearly touches, the most read of several. */
  #find(offset: number, end: number): ReadStream | undefined {
    let best: ReadStream | undefined;
    for (const stream of this.#streams) {
      if (stream.isNear(offset, end) && (!best || stream.readBytes > best.readBytes)) best = stream;
    }
    return best;
  }

  /** A new stream, in place of the idlest one where there are many. */
  #open(fetched: BlockRange): ReadStream {
    const stream = new ReadStream(this.#policy, this.#blocks, fetched);
    if (this.#streams.length < this.#policy.streams) {
      this.#streams.push(stream);
      return stream;
    }
    let idlest = 0;
    for (const [index, { lastRead }] of this.#streams.entries())
      if (lastRead < (this.#streams[idlest] as ReadStream).lastRead) idlest = index;
    this.#streams[idlest] = stream;
    return stream;
  }

  /**
   * A host with so much credit reads everything, and an object from its beginning. Its first read is elsewhere: the
   * description of a file is stored behind its content, and read before it.
   */
  #opening(creditBytes: number): Ahead | undefined {
    const stream = this.#open({ from: 0, to: 0 });
    stream.lastRead = this.#reads;
    return stream.ahead(creditBytes);
  }

  #window(offset: number, wanted: BlockRange): BlockRange {
    const { blockBytes, windowBytes } = this.#policy;
    const half = windowBytes / 2;
    return {
      from: Math.min(wanted.from, Math.max(0, Math.floor((offset - half) / blockBytes))),
      to: Math.max(wanted.to, Math.min(this.#blocks, Math.ceil((offset + half) / blockBytes))),
    };
  }
}
