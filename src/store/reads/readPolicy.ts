const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * The constants of the read path, in bytes unless they say otherwise. All are multiples of `blockBytes` except
 * `nearBytes` and `bulkBytes`. docs/read-path.md has the simulation that chose them.
 */
export interface ReadPolicy {
  /** The unit of caching and of sharing. */
  readonly blockBytes: number;
  /** The most that one request asks for. */
  readonly requestBytes: number;
  readonly demandRequestBytes: number;
  /** What a read that continues nothing fetches around itself, half of it behind. */
  readonly windowBytes: number;
  /** How far from the end of a stream a read may begin that belongs to it; hosts pad their reads at random. */
  readonly nearBytes: number;
  /** Streams that are told apart within one object. */
  readonly streams: number;
  /** A read of this length begins a stream of which more is fetched at once. */
  readonly bulkBytes: number;
  /** An object of at most this length is fetched whole at its first read. */
  readonly wholeBytes: number;
  /** What is fetched ahead of a stream, as a multiple of what was read of it. */
  readonly aheadRatio: number;
  /** The most that is fetched ahead of one stream. */
  readonly maxAheadBytes: number;
  /** What one read may have under way at once; a longer one goes on as its reader does. */
  readonly demandBytes: number;
  /** The share of the memory that may hold what nobody has asked for yet. */
  readonly aheadShare: number;
  /**
   * What may be fetched ahead in vain, by all streams together: so many bytes, and that share of what was read. It
   * is what keeps the bytes of a sparse reader down, and lets one that reads everything go far ahead.
   */
  readonly creditBytes: number;
  readonly creditRatio: number;
  readonly creditFullBytes: number;
  readonly creditShare: number;
  readonly openingBytes: number;
}

export const DEFAULT_READ_POLICY: ReadPolicy = {
  blockBytes: 128 * KIB,
  requestBytes: 4 * MIB,
  demandRequestBytes: 2 * MIB,
  windowBytes: 256 * KIB,
  nearBytes: 128 * KIB,
  streams: 4,
  bulkBytes: MIB,
  wholeBytes: 4 * MIB,
  aheadRatio: 2,
  maxAheadBytes: 16 * MIB,
  demandBytes: 8 * MIB,
  aheadShare: 0.75,
  creditBytes: MIB,
  creditRatio: 0.2,
  creditFullBytes: 24 * MIB,
  creditShare: 0.25,
  openingBytes: 8 * MIB,
};

/** Memory for blocks of all objects together. */
export const DEFAULT_CACHE_BYTES = 64 * MIB;

/** The policy with requests that a small memory has room for four of. */
export function fitPolicy(policy: ReadPolicy, cacheBytes: number): ReadPolicy {
  const within = (bytes: number, share: number) =>
    Math.max(
      policy.blockBytes,
      Math.min(bytes, Math.floor(cacheBytes / share / policy.blockBytes) * policy.blockBytes),
    );
  return {
    ...policy,
    requestBytes: within(policy.requestBytes, 4),
    demandRequestBytes: within(policy.demandRequestBytes, 4),
    windowBytes: within(policy.windowBytes, 4),
    wholeBytes: Math.min(policy.wholeBytes, within(policy.wholeBytes, 4)),
    demandBytes: within(policy.demandBytes, 2),
    maxAheadBytes: within(policy.maxAheadBytes, 2),
  };
}
