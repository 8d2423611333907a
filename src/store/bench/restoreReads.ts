import type { Noise } from '../noise.ts';
import type { ByteRange } from '../objectStore.ts';

const KIB = 1024;
const MEDIAN_FILE_BYTES = 16 * KIB;
const MOST_FILE_BYTES = 2048 * KIB;
const LEAST_FILE_BYTES = 128;
const DESCRIPTION_BYTES = 400;
/** Of the logarithm of a file's length: a tenth of the files is longer than 18 times the median. */
const SPREAD = 2.25;

/**
 * The reads of a restore that goes through a packfile: many small files and few long ones, the description of each
 * behind its content and read before it, as plakar 1.1 does it (docs/read-path.md). Together they cover the packfile.
 *
 * @param readers each goes through a part of its own
 * @returns the reads of each reader, in their order
 */
export function restoreReads(bytes: number, readers: number, noise: Noise): ByteRange[][] {
  const share = Math.ceil(bytes / readers);
  return Array.from({ length: readers }, (_, reader) => {
    const end = Math.min(bytes, (reader + 1) * share);
    const reads: ByteRange[] = [];
    for (let at = Math.min(bytes, reader * share); at < end; ) {
      const length = Math.min(fileBytes(noise), end - at);
      const description = Math.min(DESCRIPTION_BYTES, end - at - length);
      if (description > 0) reads.push({ offset: at + length, length: description });
      reads.push({ offset: at, length });
      at += length + description;
    }
    return reads;
  });
}

/** Log-normal, by Box and Muller. */
function fileBytes(noise: Noise): number {
  const random = Buffer.from(noise(8));
  const [a = 0, b = 0] = [0, 4].map((at) => (random.readUInt32LE(at) + 1) / 2 ** 32);
  const normal = Math.sqrt(-2 * Math.log(a)) * Math.cos(2 * Math.PI * b);
  const bytes = Math.round(MEDIAN_FILE_BYTES * Math.exp(SPREAD * normal));
  return Math.min(MOST_FILE_BYTES, Math.max(LEAST_FILE_BYTES, bytes));
}
