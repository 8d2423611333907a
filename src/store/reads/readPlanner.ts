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

/** A part of an object that a reader goes through. */
interface Stream {
  /** The bytes between the first and the last that were read. */
  low: number;
  high: number;
  /** The blocks between the first and the last that were fetched for it. */
  from: number;
  to: number;
  /** Bytes of all its reads. */
  readBytes: number;
  /** How many reads in a row went on below all others. */
  descents: number;
  lastUse: number;
}

/**
 * Decides what to fetch for the reads of one object. Pure: no sockets, no clock, no knowledge of what is cached; the
 * same reads give the same plans.
 *
 * A stream is a part of the object rather than a position in it, since hosts go through a packfile in zigzag: the
 * description of a file is stored behind its content, and read before it.
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

  /**
   * The plan for a read of bytes that lie inside the object.
   *
   * @param creditBytes how much may be fetched ahead now
   */
  plan(offset: number, length: number, creditBytes: number): ReadPlan {
    const { blockBytes, wholeBytes } = this.#policy;
    const end = offset + length;
    const wanted = { from: Math.floor(offset / blockBytes), to: Math.ceil(end / blockBytes) };
    if (this.#bytes <= wholeBytes) return { wanted, around: { from: 0, to: this.#blocks }, ahead: undefined };

    if (this.#uses === 0 && creditBytes >= this.#policy.openingBytes) {
      const opening = this.#opening(creditBytes, offset, wanted);
      if (opening) return opening;
    }
    const known = this.#find(offset, end);
    const stream = known ?? this.#open(offset, end);
    const around = known ? wanted : this.#window(offset, wanted);
    const rose = end > stream.high;
    const sank = offset < stream.low && end <= stream.low + this.#policy.nearBytes;
    stream.low = Math.min(stream.low, offset);
    stream.high = Math.max(stream.high, end);
    stream.from = Math.min(stream.from, around.from);
    stream.to = Math.max(stream.to, around.to);
    stream.readBytes += length;
    stream.descents = sank ? stream.descents + 1 : rose ? 0 : stream.descents;
    stream.lastUse = ++this.#uses;
    let ahead: Ahead | undefined;
    // One short read in the middle of nowhere says nothing about the next.
    if (known || length >= this.#policy.bulkBytes)
      ahead = stream.descents >= 2 ? this.#below(stream, creditBytes) : this.#above(stream, creditBytes);
    return { wanted, around, ahead };
  }

  #opening(creditBytes: number, offset: number, wanted: BlockRange): ReadPlan | undefined {
    const { blockBytes } = this.#policy;
    const around = this.#window(offset, wanted);
    const stream = this.#open(0, 0);
    const own = this.#open(offset, offset + 1);
    own.from = around.from; own.to = around.to; own.lastUse = ++this.#uses;
    const to = Math.min(this.#blocks, Math.ceil(Math.min(creditBytes / 2, this.#policy.maxAheadBytes) / blockBytes));
    return { wanted, around, ahead: { range: { from: 0, to }, descending: false, took: (blocks) => { stream.to = Math.max(stream.to, blocks); } } };
  }

  /** The stream that a read belongs to: one that it touches or nearly touches, the most read of several. */
  #find(offset: number, end: number): Stream | undefined {
    const { blockBytes, nearBytes } = this.#policy;
    let best: Stream | undefined;
    for (const stream of this.#streams) {
      if (offset > stream.to * blockBytes + nearBytes || end < stream.from * blockBytes - nearBytes) continue;
      if (!best || stream.readBytes > best.readBytes) best = stream;
    }
    return best;
  }

  /** A new stream, in place of the idlest one where there are many. */
  #open(offset: number, end: number): Stream {
    const stream: Stream = {
      low: offset,
      high: end,
      from: Math.floor(offset / this.#policy.blockBytes),
      to: Math.ceil(end / this.#policy.blockBytes),
      readBytes: 0,
      descents: 0,
      lastUse: 0,
    };
    if (this.#streams.length < this.#policy.streams) this.#streams.push(stream);
    else {
      let idlest = 0;
      for (const [index, { lastUse }] of this.#streams.entries())
        if (lastUse < (this.#streams[idlest] as Stream).lastUse) idlest = index;
      this.#streams[idlest] = stream;
    }
    return stream;
  }

  #window(offset: number, wanted: BlockRange): BlockRange {
    const { blockBytes, windowBytes } = this.#policy;
    const half = windowBytes / 2;
    return {
      from: Math.min(wanted.from, Math.max(0, Math.floor((offset - half) / blockBytes))),
      to: Math.max(wanted.to, Math.min(this.#blocks, Math.ceil((offset + half) / blockBytes))),
    };
  }

  #above(stream: Stream, creditBytes: number): Ahead | undefined {
    const { blockBytes } = this.#policy;
    const from = stream.to;
    const end = Math.min(this.#blocks, Math.ceil((stream.high + this.#depth(stream, creditBytes)) / blockBytes));
    const to = Math.min(end, from + Math.floor(creditBytes / blockBytes));
    if (!this.#isWorthIt(to - from, this.#depth(stream, creditBytes), to === this.#blocks)) return undefined;
    return {
      range: { from, to },
      descending: false,
      took: (blocks) => {
        stream.to = Math.max(stream.to, from + blocks);
      },
    };
  }

  #below(stream: Stream, creditBytes: number): Ahead | undefined {
    const { blockBytes } = this.#policy;
    const to = stream.from;
    const end = Math.max(0, Math.floor((stream.low - this.#depth(stream, creditBytes)) / blockBytes));
    const from = Math.max(end, to - Math.floor(creditBytes / blockBytes));
    if (!this.#isWorthIt(to - from, this.#depth(stream, creditBytes), from === 0)) return undefined;
    return {
      range: { from, to },
      descending: true,
      took: (blocks) => {
        stream.from = Math.min(stream.from, to - blocks);
      },
    };
  }

  #depth({ readBytes }: Stream, creditBytes: number): number {
    const { aheadRatio, maxAheadBytes, creditShare } = this.#policy;
    return Math.min(maxAheadBytes, Math.max(readBytes * aheadRatio, creditBytes * creditShare));
  }

  /** Small steps would be small requests; at the end of the object there is no larger one to wait for. */
  #isWorthIt(blocks: number, depth: number, last: boolean): boolean {
    const { blockBytes, requestBytes } = this.#policy;
    const least = Math.min(depth / 2, requestBytes) / blockBytes;
    return blocks > 0 && (blocks >= least || last);
  }
}
