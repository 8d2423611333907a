import type { UploadSession } from '../uploadSessions.ts';
import type { RangeSpelling } from './profile.ts';

/** The `Range` of a session in the spelling of one registry; undefined for no header. */
export function spellRange(spelling: RangeSpelling, session: UploadSession): string | undefined {
  const { bytes, chunks } = session;
  const last = chunks.at(-1) ?? 0;
  switch (spelling) {
    case 'cumulative':
      return `0-${Math.max(0, bytes - 1)}`;
    case 'honest':
      return `0-${bytes - 1}`;
    case 'bytes':
      return `bytes=0-${bytes - 1}`;
    case 'count':
      return `0-${bytes}`;
    case 'bytes-count':
      return `bytes=0-${bytes}`;
    case 'stuck':
      return `0-${Math.max(0, (chunks[0] ?? bytes) - 1)}`;
    case 'request':
      return `0-${Math.max(0, last - 1)}`;
    case 'stretch':
      return `${bytes - last}-${Math.max(0, bytes - 1)}`;
    case 'none':
      return undefined;
  }
}
