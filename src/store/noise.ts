import { createCipheriv, createHash } from 'node:crypto';

/** An endless stream of bytes that no compression shrinks: as many of the next ones as are asked for. */
export type Noise = (bytes: number) => Uint8Array;

/** The same stream for the same seed: AES in counter mode is the fastest generator that the runtime has. */
export function noiseFrom(seed: string): Noise {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  return (bytes) => cipher.update(new Uint8Array(bytes));
}
