import { readInto } from '../engine/readInto.ts';
import type { ByteSource } from '../engine/source.ts';
import { INLINE_LIMIT_BYTES } from './manifest.ts';

/** The whole content of a source that is short enough to ride in the manifest, or `undefined`. */
export async function inlineContent(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  if (source.sizeBytes === undefined || source.sizeBytes > INLINE_LIMIT_BYTES || source.sizeBytes === 0)
    return undefined;
  const reader = await source.open(signal);
  try {
    const content = new Uint8Array(source.sizeBytes);
    const bytes = await readInto(reader, [content], 0);
    await reader.verifyUnchanged();
    return content.subarray(0, bytes);
  } finally {
    await reader.close();
  }
}
