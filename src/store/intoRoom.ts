/**
 * Takes bytes of a chunk into the memory that they belong in, where a socket may have read them already: then nothing is
 * copied.
 *
 * @param at the first byte of the chunk that is to be taken
 * @returns how many were taken: as many as there was room for
 */
export function intoRoom(room: Uint8Array, chunk: Uint8Array, at: number): number {
  const bytes = Math.min(room.length, chunk.length - at);
  const isThere = chunk.buffer === room.buffer && chunk.byteOffset + at === room.byteOffset;
  if (!isThere) room.set(chunk.subarray(at, at + bytes));
  return bytes;
}
