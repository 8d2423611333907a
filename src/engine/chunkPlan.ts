/** Limits on the size of a chunk, in bytes. */
export interface ChunkLimits {
  /** What the user, the profile or experience asks for. */
  readonly wantedBytes: number;
  /** `OCI-Chunk-Min-Length`; all chunks but the last have to be at least this long. */
  readonly minBytes?: number | undefined;
  /** The longest body that the registry takes. */
  readonly maxBytes?: number | undefined;
  /** What fits into memory. */
  readonly memoryBytes: number;
}

/**
 * The size of all chunks of a blob but the last, which may be shorter. Equal chunks, because Cloudflare's registry
 * refuses others; and no last chunk of a single byte, because it cannot take that either.
 *
 * @param sizeBytes length of the blob, or `undefined` when unknown
 */
export function planChunkBytes(sizeBytes: number | undefined, limits: ChunkLimits): number {
  const ceiling = Math.max(1, Math.min(limits.maxBytes ?? Number.POSITIVE_INFINITY, limits.memoryBytes));
  const floor = Math.min(limits.minBytes ?? 1, ceiling);
  const chunkBytes = Math.max(floor, Math.min(limits.wantedBytes, ceiling));
  if (sizeBytes === undefined) return chunkBytes;
  if (sizeBytes <= chunkBytes) return Math.max(1, sizeBytes);
  if (sizeBytes % chunkBytes !== 1) return chunkBytes;
  // One byte more or less per chunk moves the tail away from 1: n chunks shift it by n.
  if (chunkBytes - 1 >= Math.max(floor, 2) && sizeBytes % (chunkBytes - 1) !== 1) return chunkBytes - 1;
  if (chunkBytes + 1 <= ceiling) return chunkBytes + 1;
  return chunkBytes;
}
