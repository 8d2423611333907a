import type { Ahead, BlockRange } from './readPlanner.ts';
import type { ReadPolicy } from './readPolicy.ts';

/**
 * A part of an object that a reader goes through. A part rather than a position, since hosts go in zigzag: plakar
 * reads the description of a file, which is stored behind its content, then the content, then the next description.
 */
export class ReadStream {
  readonly #policy: ReadPolicy;
  /** Blocks of the whole object. */
  readonly #blocks: number;
  /** The blocks between the first and the last that were fetched for the stream. */
  #from: number;
  #to: number;
  /** The bytes between the first and the last that were read. */
  #low = Number.POSITIVE_INFINITY;
  #high = 0;
  /** How many reads in a row went on below all others. */
  #descents = 0;
  /** Bytes of all reads. */
  readBytes = 0;
  /** The number of the latest read. */
  lastRead = 0;

  constructor(policy: ReadPolicy, blocks: number, fetched: BlockRange) {
    this.#policy = policy;
    this.#blocks = blocks;
    this.#from = fetched.from;
    this.#to = fetched.to;
  }

  /** Whether bytes touch what was fetched for the stream, or nearly do. */
  isNear(offset: number, end: number): boolean {
    const { blockBytes, nearBytes } = this.#policy;
    return offset <= this.#to * blockBytes + nearBytes && end >= this.#from * blockBytes - nearBytes;
  }

  /** Notes the read of that number; true when it went further up than all before it. */
  read(offset: number, end: number, number: number): boolean {
    const further = end > this.#high;
    const { blockBytes, nearBytes } = this.#policy;
    if (offset < this.#low && end <= this.#low + nearBytes) this.#descents++;
    else if (further) this.#descents = 0;
    this.#low = Math.min(this.#low, offset);
    this.#high = Math.max(this.#high, end);
    this.#from = Math.min(this.#from, Math.floor(offset / blockBytes));
    this.#to = Math.max(this.#to, Math.ceil(end / blockBytes));
    this.readBytes += end - offset;
    this.lastRead = number;
    return further;
  }

  /** What to fetch ahead now, in the direction of the reads; nothing while it would be a small request. */
  ahead(creditBytes: number): Ahead | undefined {
    const { aheadRatio, aheadCreditShare, maxAheadBytes, blockBytes } = this.#policy;
    const depthBytes = Math.min(
      maxAheadBytes,
      Math.max(this.readBytes * aheadRatio, creditBytes * aheadCreditShare),
    );
    const most = Math.floor(creditBytes / blockBytes);
    // One step down is part of the zigzag, and the first read is one.
    return this.#descents > 2 ? this.#below(depthBytes, most) : this.#above(depthBytes, most);
  }

  #above(depthBytes: number, most: number): Ahead | undefined {
    const from = this.#to;
    const end = Math.min(this.#blocks, Math.ceil((this.#high + depthBytes) / this.#policy.blockBytes));
    const to = Math.min(end, from + most);
    if (!this.#isWorthIt(to - from, depthBytes, to === this.#blocks)) return undefined;
    const took = (blocks: number) => {
      this.#to = Math.max(this.#to, from + blocks);
    };
    return { range: { from, to }, descending: false, took };
  }

  #below(depthBytes: number, most: number): Ahead | undefined {
    const to = this.#from;
    const end = Math.max(0, Math.floor((this.#low - depthBytes) / this.#policy.blockBytes));
    const from = Math.max(end, to - most);
    if (!this.#isWorthIt(to - from, depthBytes, from === 0)) return undefined;
    const took = (blocks: number) => {
      this.#from = Math.min(this.#from, to - blocks);
    };
    return { range: { from, to }, descending: true, took };
  }

  /** At the end of the object there is no larger request to wait for. */
  #isWorthIt(blocks: number, depthBytes: number, last: boolean): boolean {
    const { requestBytes, blockBytes } = this.#policy;
    return blocks > 0 && (last || blocks * blockBytes >= Math.min(depthBytes / 2, requestBytes));
  }
}
