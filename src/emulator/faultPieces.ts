import type { Answer } from './answers.ts';
import type { BlobReader } from './storage.ts';

/** Pieces of a body up to a limit. */
export interface LimitedReader extends BlobReader {
  /** True once the limit was reached. */
  limited(): boolean;
}

/** The body up to a limit, with each piece changed. Closing it leaves the body open. */
export function limitedPieces(
  body: Answer['body'],
  limit: number,
  change: ((chunk: Uint8Array) => Uint8Array) | undefined,
): LimitedReader {
  let left = limit;
  let given = false;
  return {
    limited: () => left <= 0,
    async next() {
      if (left <= 0 || body === undefined) return undefined;
      let piece: Buffer | undefined;
      if (!Buffer.isBuffer(body)) piece = await body.next();
      else if (!given) piece = body;
      given = true;
      if (piece === undefined) return undefined;
      // The hook gets a copy: in memory the piece is the stored blob itself.
      const changed = change ? Buffer.from(change(Buffer.from(piece))) : piece;
      const part = changed.length > left ? changed.subarray(0, left) : changed;
      left -= part.length;
      return part;
    },
    close() {},
  };
}

/** Pauses shorter than this are saved up: timers are no finer. */
const PAUSE_MS = 20;

/** The same pieces, at a pace: a slow sender sends little at a time, not much after a long silence. */
export function pacedPieces(pieces: LimitedReader, bytesPerSecond: number): LimitedReader {
  const most = Math.max(1, Math.floor((bytesPerSecond * PAUSE_MS) / 1000));
  let rest: Buffer | undefined;
  let owedMs = 0;
  return {
    limited: () => pieces.limited(),
    async next() {
      rest = rest && rest.length > 0 ? rest : await pieces.next();
      if (rest === undefined) return undefined;
      const part = rest.subarray(0, most);
      rest = rest.subarray(part.length);
      owedMs += (part.length / bytesPerSecond) * 1000;
      if (owedMs >= PAUSE_MS) {
        const waitMs = owedMs;
        owedMs = 0;
        await new Promise<void>((resolve) => {
          setTimeout(resolve, waitMs);
        });
      }
      return part;
    },
    close() {},
  };
}
