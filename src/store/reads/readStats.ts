/** What a cache of reads did so far. */
export interface ReadStats {
  /** Reads that were answered, and those of them that found all their bytes in memory. */
  readonly reads: number;
  readonly hits: number;
  /** Bytes of all reads. */
  readonly readBytes: number;
  /** Requests for blocks; `aheadRequests` of them came before a read asked for their bytes. */
  readonly requests: number;
  readonly aheadRequests: number;
  /** Bytes of all requests. */
  readonly fetchedBytes: number;
  /** Memory of blocks now, and at most, in bytes. */
  readonly usedBytes: number;
  readonly peakBytes: number;
}

/** Counts reads and the requests behind them. */
export class ReadCounter {
  #reads = 0;
  #hits = 0;
  #readBytes = 0;
  #requests = 0;
  #aheadRequests = 0;
  #fetchedBytes = 0;

  read(bytes: number, hit: boolean): void {
    this.#reads++;
    this.#readBytes += bytes;
    if (hit) this.#hits++;
  }

  request(bytes: number, ahead: boolean): void {
    this.#requests++;
    this.#fetchedBytes += bytes;
    if (ahead) this.#aheadRequests++;
  }

  snapshot(memory: { readonly usedBytes: number; readonly peakBytes: number }): ReadStats {
    return {
      reads: this.#reads,
      hits: this.#hits,
      readBytes: this.#readBytes,
      requests: this.#requests,
      aheadRequests: this.#aheadRequests,
      fetchedBytes: this.#fetchedBytes,
      usedBytes: memory.usedBytes,
      peakBytes: memory.peakBytes,
    };
  }
}
