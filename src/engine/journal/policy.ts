/**
 * How long a journal is of use. Registries purge sessions in their own time: distribution after 168 h by default
 * (`uploadpurging.age` in its configuration reference), zot after an hour, GitLab.com after a day. One that is gone is
 * recognised by its answer; this bounds how long journals of places that nobody pushes to any more are kept.
 */
export const MAX_AGE_MS = 7 * 24 * 60 * 60_000;

/** Blobs from this length on are remembered as stored: a shorter one is sent again for the price of asking for it. */
export const REMEMBERED_BYTES = 1024 * 1024;

// A sync takes 1 to 30 ms of a thread of the pool and of the disk. This often, the power may fail at the price of
// sending the last moment again; an end of the process alone costs nothing, since the lines are with the system by then.
const SYNC_INTERVAL_MS = 200;
const SYNC_BYTES = 64 * 1024 * 1024;

/**
 * How long the journal may wait before what was written to it is synced to the disk, in milliseconds; 0 for now.
 *
 * @param sinceMs time since the last sync
 * @param unsyncedBytes bytes of blobs that were acknowledged since
 */
export function syncDelayMs(sinceMs: number, unsyncedBytes: number): number {
  return unsyncedBytes >= SYNC_BYTES ? 0 : Math.max(0, SYNC_INTERVAL_MS - sinceMs);
}

/**
 * Where to go on in a session of an earlier run, from what the session reports and what the journal has.
 *
 * The session's own word counts where it can be true: a registry that takes no gaps has to be met where it is, be it
 * further than the journal, whose tail may be lost and whose last chunk may have arrived in part, or be it less far,
 * after a registry lost what it had not synced. The digest at the commit decides in the end.
 *
 * @param rangeEnd the last byte that the session reports, see parseRangeEnd
 * @param confirmedBytes what the journal knows to be acknowledged
 * @param blobBytes length of the blob
 * @returns the offset, or `undefined` when nothing is gained, or the report cannot be true
 */
export function resumeOffset(
  rangeEnd: number | undefined,
  confirmedBytes: number,
  blobBytes: number,
): number | undefined {
  if (rangeEnd === undefined) return undefined;
  // `0-0` is one byte or none: to start over costs as much as finding out.
  const reported = rangeEnd <= 0 ? 0 : rangeEnd + 1;
  // Quay reports a byte too many. A chunk that arrived in part with its very first byte is the less likely reading.
  const offset = reported === confirmedBytes + 1 ? confirmedBytes : reported;
  return offset > 0 && offset <= blobBytes ? offset : undefined;
}

/** Whether a journal is too old, by the time of its last line. A clock that was set back makes it new, not old. */
export function isExpired(mtimeMs: number, nowMs: number): boolean {
  return nowMs - mtimeMs > MAX_AGE_MS;
}
