import type { ByteReader } from './source.ts';

/** Fills views in a row from `position` on. Returns the bytes read: less than they hold only at the end. */
export async function readInto(
  reader: ByteReader,
  views: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let total = 0;
  for (const view of views) {
    const bytes = await reader.read(view, position + total);
    total += bytes;
    if (bytes < view.length) break;
  }
  return total;
}
