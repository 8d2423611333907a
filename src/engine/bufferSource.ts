import type { ByteSource } from './source.ts';

/** Bytes in memory as a source. They must not be changed until the push has ended. */
export function bufferSource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    sizeBytes: bytes.length,
    rereadable: true,
    open: async () => ({
      read: async (into, position) => {
        const part = bytes.subarray(position, position + into.length);
        into.set(part);
        return part.length;
      },
      verifyUnchanged: async () => {},
      close: async () => {},
    }),
  };
}
