import { createReadStream } from 'node:fs';
import { cancelled, isKlosetError, KlosetError } from '../errors.ts';

const READ_BYTES = 1024 * 1024;

/**
 * Part of a file, which has to have it.
 *
 * @throws KlosetError SIZE_MISMATCH, SOURCE_UNREADABLE, CANCELLED
 */
export async function* readFilePart(
  path: string,
  start: number,
  bytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  if (bytes === 0) return;
  const stream = createReadStream(path, { start, end: start + bytes - 1, highWaterMark: READ_BYTES, signal });
  let seen = 0;
  try {
    for await (const chunk of stream) {
      seen += (chunk as Uint8Array).length;
      yield chunk as Uint8Array;
    }
  } catch (cause) {
    if (signal?.aborted) throw cancelled(signal.reason);
    throw isKlosetError(cause) ? cause : unreadable(path, cause);
  }
  if (seen !== bytes) {
    throw new KlosetError('SIZE_MISMATCH', `ended after ${seen} of ${bytes} bytes`, { object: path });
  }
}

export function unreadable(path: string, cause: unknown): KlosetError {
  return new KlosetError(
    'SOURCE_UNREADABLE',
    `cannot be read (${(cause as NodeJS.ErrnoException)?.code ?? String(cause)})`,
    {
      object: path,
      remedy: 'Check the permissions of the file and the disk.',
      cause,
    },
  );
}
