/** Bytes to push, and sources of them. */
import { createCipheriv } from 'node:crypto';
import type { ByteSource } from '../../src/engine/source.ts';

/** Bytes that look random, the same for the same seed. */
export function noise(seed: number, bytes: number): Uint8Array {
  const key = Buffer.alloc(32);
  key.writeUInt32LE(seed);
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** A MAC for the object of a number. */
export function macOf(number: number): string {
  return number.toString(16).padStart(64, '0');
}

/** A source that is no file and makes its bytes as they are asked for. */
export function madeSource(name: string, sizeBytes: number, rereadable: boolean): ByteSource {
  return {
    name,
    sizeBytes,
    rereadable,
    open: async () => ({
      read: async (into: Uint8Array, position: number) => {
        const bytes = Math.min(into.length, sizeBytes - position);
        into.fill((position / 4096) & 0xff, 0, bytes);
        return bytes;
      },
      verifyUnchanged: async () => {},
      close: async () => {},
    }),
  };
}
