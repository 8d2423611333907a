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
  const buffer = new Uint8Array(READ_BYTES);
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
