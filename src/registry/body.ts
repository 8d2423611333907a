import { KlosetError } from '../errors.ts';
import type { RegistryAnswer } from './transport.ts';

/**
 * Reads a body of at most `limitBytes` into memory.
 *
 * @throws KlosetError REGISTRY_FOREIGN when there is more: no registry sends that, and memory is bounded
 */
export async function readBody(
  answer: RegistryAnswer,
  limitBytes: number,
  what: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body) {
    bytes += chunk.length;
    if (bytes > limitBytes) {
      throw new KlosetError('REGISTRY_FOREIGN', `${what} is larger than ${limitBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return inOnePiece(chunks, bytes) ?? Buffer.concat(chunks, bytes);
}

/** Chunks that lie behind one another in memory, as our own client reads them: to copy them would cost as much again. */
function inOnePiece([first, ...others]: readonly Uint8Array[], bytes: number): Uint8Array | undefined {
  if (!first) return undefined;
  let end = first.byteOffset + first.length;
  for (const { buffer, byteOffset, length } of others) {
    if (buffer !== first.buffer || byteOffset !== end) return undefined;
    end += length;
  }
  return new Uint8Array(first.buffer, first.byteOffset, bytes);
}

const DRAIN_BYTES = 64 * 1024;

/** Frees the connection: reads a short rest, so that the connection can be used again, or gives the body up. */
export async function discardBody(answer: RegistryAnswer): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      if (bytes > DRAIN_BYTES) break;
    }
  } catch {
    // The answer's head is all that was wanted.
  }
}

/** The first bytes of a body as text, for messages; never fails. */
export async function readExcerpt(answer: RegistryAnswer, limitBytes = 4096): Promise<string> {
  let text = '';
  try {
    for await (const chunk of answer.body) {
      text += Buffer.from(chunk).toString('utf8');
      if (text.length >= limitBytes) break;
    }
  } catch {
    // What came is better than nothing.
  }
  return text.slice(0, limitBytes);
}
