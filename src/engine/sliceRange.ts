import type { SharedSlice } from '../workers/slabs.ts';

/** The bytes from `start` on, `bytes` of them or as many as there are, of slices in a row. */
export function sliceRange(
  slices: readonly SharedSlice[],
  start: number,
  bytes = Number.POSITIVE_INFINITY,
): SharedSlice[] {
  const range: SharedSlice[] = [];
  let skip = Math.max(0, start);
  let rest = bytes;
  for (const slice of slices) {
    if (rest <= 0) break;
    const cut = Math.min(skip, slice.length);
    skip -= cut;
    const length = Math.min(slice.length - cut, rest);
    if (length === 0) continue;
    range.push({ ...slice, offset: slice.offset + cut, length });
    rest -= length;
  }
  return range;
}

/** Slices as views, in the same order. */
export function viewsOf(slices: readonly SharedSlice[]): Uint8Array[] {
  return slices.map(({ shared, offset, length }) => new Uint8Array(shared, offset, length));
}
