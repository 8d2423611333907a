/** Bounds of the connections to one origin. */
export interface ConnectionLimits {
  readonly connectTimeoutMs: number;
  readonly connections: number;
}

/** Options of a pool that are the same with and without a proxy. */
export const POOL_OPTIONS = {
  pipelining: 1,
  // Over TLS undici prefers HTTP/2, which moved bodies at 40 to 80 % of HTTP/1.1's speed and failed with
  // ENHANCE_YOUR_CALM under concurrent uploads.
  allowH2: false,
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: 30_000,
} as const;
