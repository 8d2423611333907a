/**
 * The last byte that a registry says it has, from the `Range` header of an upload session, or `undefined` when it
 * says nothing usable. Only the end is read: Artifactory's ranges do not start at 0. Spellings met: `0-1023`,
 * `bytes=0-1023`, `22-41`, and for an empty session `0-0`, `0--1`, `bytes=0--1`, or no header.
 *
 * The value is a hint and no more. Quay counts one too many, ECR's sticks at the first chunk, zot's has been per
 * request, and `0-0` means one byte or none; {@link confirmedOffset} weighs it against what was sent.
 */
export function parseRangeEnd(header: string | undefined): number | undefined {
  const match = /^(?:bytes[= ])?\s*\d+-(-?\d+)$/.exec(header?.trim() ?? '');
  if (!match) return undefined;
  const end = Number(match[1]);
  return Number.isSafeInteger(end) && end >= -1 ? end : undefined;
}

/**
 * The offset to continue at after a failed chunk, from the range end that a session reports.
 *
 * @param rangeEnd what {@link parseRangeEnd} returned
 * @param acknowledgedBytes offset up to which requests were answered with success
 * @param sentBytes offset up to which bytes were sent at all, the failed chunk included
 * @returns the offset, or `undefined` when the report cannot be true and the blob has to be sent anew
 */
export function confirmedOffset(
  rangeEnd: number | undefined,
  acknowledgedBytes: number,
  sentBytes: number,
): number | undefined {
  if (rangeEnd === undefined) return undefined;
  // `0-0` is how several registries spell "empty".
  const reported = rangeEnd === 0 && acknowledgedBytes === 0 ? 0 : rangeEnd + 1;
  if (reported < acknowledgedBytes) return undefined;
  return Math.min(reported, sentBytes);
}
