const KIB = 1024;
const MIB = 1024 * KIB;

/** The constants of the read path. docs/read-path.md has the simulation that chose them. */
export interface ReadPolicy {
  /** The unit of caching and of sharing, in bytes. The other lengths but `nearBytes` are multiples of it. */
  readonly blockBytes: number;
  /** The most that one request asks for which nobody waits for. */
  readonly requestBytes: number;
  /** The most that one request asks for which a reader waits for: several connections bring more at once. */
  readonly demandRequestBytes: number;
  /** What one read may have under way at once; a longer one goes on as its reader does. */
  readonly demandBytes: number;
  /** An object of at most this length is fetched whole, with its first read. */
  readonly wholeBytes: number;
  /** What a read that continues nothing fetches around its beginning, half of it behind. */
  readonly windowBytes: number;
  /** How far from what a stream has fetched a read may be that belongs to it: hosts pad their reads at random. */
  readonly nearBytes: number;
  /** Streams that are told apart within one object. */
  readonly streams: number;
  /** A read of this length begins a stream of which more is fetched at once. */
  readonly bulkBytes: number;
  /** What is fetched ahead of a stream: so many times what was read of it. */
  readonly aheadRatio: number;
  /** The least that is fetched ahead of a stream, as a share of the credit. */
  readonly aheadCreditShare: number;
  /** The most that is fetched ahead of a stream. */
  readonly maxAheadBytes: number;
  /** With this much credit, the first read of an object also fetches its beginning. */
  readonly openingBytes: number;
  /** The share of the memory that may hold what was fetched ahead. */
  readonly aheadShare: number;
  readonly credit: CreditPolicy;
}

/**
 * How much may be fetched ahead in vain, by all streams together. It keeps what is fetched for a host that reads
 * sparsely near what it reads, and lets one that reads everything go far ahead from the first read of the next object
 * on.
 */
export interface CreditPolicy {
  /** What every host has from the beginning, in bytes. */
  readonly freeBytes: number;
  /** What it gets for each read that goes on where an earlier one was: many of those are many files in a row. */
  readonly bytesPerStep: number;
  /** The most that it gets for all such reads. */
  readonly maxStepBytes: number;
  /** What it gets for each byte that it reads. */
  readonly ratio: number;
  /** Above so many bytes read it gets one for one. */
  readonly fullBytes: number;
}

/** What a host has done so far, in bytes except for `steps`. */
export interface ReadRecord {
  /** Reads that went on where an earlier one was. */
  readonly steps: number;
  readonly readBytes: number;
  /** What was fetched ahead and not read, or not yet. */
  readonly unreadBytes: number;
}

export const DEFAULT_READ_POLICY: ReadPolicy = {
  blockBytes: 128 * KIB,
  requestBytes: 3 * MIB,
  demandRequestBytes: 2 * MIB,
  demandBytes: 8 * MIB,
  wholeBytes: 4 * MIB,
  windowBytes: 256 * KIB,
  nearBytes: 128 * KIB,
  streams: 4,
  bulkBytes: MIB,
  aheadRatio: 2,
  aheadCreditShare: 0.25,
  maxAheadBytes: 16 * MIB,
  openingBytes: 8 * MIB,
  aheadShare: 0.75,
  credit: {
    freeBytes: 512 * KIB,
    bytesPerStep: 128 * KIB,
    maxStepBytes: 4 * MIB,
    ratio: 0.25,
    fullBytes: 16 * MIB,
  },
};

/** Memory for blocks of all objects together. */
export const DEFAULT_CACHE_BYTES = 64 * MIB;

/** The credit left to a host, in bytes. */
export function creditLeft(policy: CreditPolicy, { steps, readBytes, unreadBytes }: ReadRecord): number {
  const { freeBytes, bytesPerStep, maxStepBytes, ratio, fullBytes } = policy;
  const full = Math.max(0, readBytes - fullBytes);
  const earned = Math.min(maxStepBytes, steps * bytesPerStep) + ratio * (readBytes - full) + full;
  return Math.max(0, freeBytes + earned - unreadBytes);
}

/** The policy with requests of which a small memory holds four. */
export function fitPolicy(policy: ReadPolicy, cacheBytes: number): ReadPolicy {
  const { blockBytes } = policy;
  const part = (share: number) => Math.max(1, Math.floor(cacheBytes / share / blockBytes)) * blockBytes;
  return {
    ...policy,
    requestBytes: Math.min(policy.requestBytes, part(4)),
    demandRequestBytes: Math.min(policy.demandRequestBytes, part(4)),
    demandBytes: Math.min(policy.demandBytes, part(2)),
    wholeBytes: Math.min(policy.wholeBytes, part(4)),
    windowBytes: Math.min(policy.windowBytes, part(4)),
    maxAheadBytes: Math.min(policy.maxAheadBytes, part(2)),
  };
}
