import type { ByteSource } from '../engine/source.ts';
import { throwIfAborted } from '../errors.ts';
import type { OperationOptions, PutReport } from './objectStore.ts';

const READ_BYTES = 1024 * 1024;

/** The bytes of a source from end to end, and the check that it did not change. A chunk is valid until the next. */
export async function* bytesOf(
  source: ByteSource,
  options: OperationOptions & PutReport,
): AsyncGenerator<Uint8Array, void, void> {
  const { signal, onSent } = options;
  const reader = await source.open(signal);
  // One more than there is: the read that is not filled was the last.
  const buffer = new Uint8Array(Math.min(READ_BYTES, (source.sizeBytes ?? READ_BYTES) + 1));
  try {
    for (let position = 0; ; ) {
      throwIfAborted(signal);
      const bytes = await reader.read(buffer, position);
      if (bytes > 0) {
        yield buffer.subarray(0, bytes);
        onSent?.(bytes);
      }
      position += bytes;
      if (bytes < buffer.length) break;
    }
    await reader.verifyUnchanged();
  } finally {
    await reader.close();
  }
}
