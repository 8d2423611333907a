/** Bytes that are the same in every run: incompressible ones and text. */
import { createCipheriv } from 'node:crypto';

/** `length` incompressible bytes: an AES key stream, since it is fast and needs no state. */
export function seededBytes(seed: number, length: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed >>> 0);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

const WORDS =
  'alpha backup cargo delta error flush green host index job keep line manifest node offset packfile queue range state tag upload vault warn yield zone'.split(
    ' ',
  );

/** About `length` bytes of log-like text, compressible and full of repeats. */
export function seededText(seed: number, length: number): string {
  const lines: string[] = [];
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  const next = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  for (let size = 0; size < length; size += lines.at(-1)?.length ?? 0) {
    const words = Array.from({ length: 4 + next(12) }, () => WORDS[next(WORDS.length)]);
    lines.push(`${next(1e9)} ${words.join(' ')}\n`);
  }
  return lines.join('');
}
