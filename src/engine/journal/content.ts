import type { BlobPlace, DecodedJournal } from './format.ts';

/** A session that its push has left open. */
export interface OpenSession {
  readonly place: BlobPlace;
  readonly url: string;
  /** What the registry had acknowledged as far as the journal knows, in bytes. */
  readonly confirmedBytes: number;
  /** Length of its chunks; `undefined` while none was acknowledged. */
  readonly chunkBytes: number | undefined;
}

/** A blob that is in the registry. */
export interface StoredBlob {
  readonly digest: string;
  readonly place: BlobPlace;
}

/** What a journal comes to: the state after its last whole line. */
export interface JournalContent {
  readonly sessions: readonly OpenSession[];
  readonly stored: readonly StoredBlob[];
}

/** Follows the transitions of a journal to its end. */
export function contentOf({ records }: DecodedJournal): JournalContent {
  const sessions = new Map<number, OpenSession>();
  const stored = new Map<string, StoredBlob>();
  for (const record of records) {
    if (record.type === 'stored') {
      const { digest, place } = record;
      stored.set(keyOf(place), { digest, place });
    } else if (record.type === 'session') {
      const { id, place, url } = record;
      sessions.set(id, { place, url, confirmedBytes: 0, chunkBytes: undefined });
    } else if (record.type === 'closed') {
      sessions.delete(record.id);
    } else {
      const known = sessions.get(record.id);
      const { url, bytes, chunkBytes } = record;
      if (known) sessions.set(record.id, { ...known, url, confirmedBytes: bytes, chunkBytes });
    }
  }
  return { sessions: [...sessions.values()], stored: [...stored.values()] };
}

/** Equal for the same bytes of the same, unchanged file on the way to the same tag. */
export function keyOf({ file, start, bytes, tag }: BlobPlace): string {
  const { path, device, inode, bytes: fileBytes, mtimeNs } = file ?? {};
  return JSON.stringify([path, device, inode, fileBytes, mtimeNs, start, bytes, tag]);
}
