import { KlosetError } from '../errors.ts';
import type { ByteReader, ByteSource } from './source.ts';

/**
 * A stream as a source, for example a Node Readable. Bytes are copied at once into the engine's memory: small
 * chunks that are kept pin the large pooled buffers that they were cut from.
 *
 * @param sizeBytes the length where it is known; a stream that is shorter or longer is refused
 */
export function streamSource(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  sizeBytes?: number,
): ByteSource {
  return { name, sizeBytes, rereadable: false, open: async () => openReader(stream, name, sizeBytes) };
}

function openReader(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  sizeBytes: number | undefined,
): ByteReader {
  const iterator = stream[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  let readBytes = 0;
  let ended = false;

  const pull = async (): Promise<boolean> => {
    if (ended) return false;
    const next = await iterator.next();
    if (next.done) ended = true;
    else rest = next.value;
    return !ended;
  };

  return {
    read: async (into, position) => {
      if (position !== readBytes)
        throw new RangeError(`expected position ${readBytes} of a stream, got ${position}`);
      let filled = 0;
      while (filled < into.length && (rest.length > 0 || (await pull()))) {
        const part = rest.subarray(0, into.length - filled);
        into.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
      }
      readBytes += filled;
      return filled;
    },
    verifyUnchanged: async () => {
      if (sizeBytes === undefined) return;
      while (rest.length === 0 && (await pull()));
      if (rest.length > 0 || readBytes !== sizeBytes) {
        throw new KlosetError(
          'SOURCE_CHANGED',
          `the stream is not the ${sizeBytes} bytes that were announced`,
          {
            object: name,
          },
        );
      }
    },
    close: async () => {
      if (!ended) await iterator.return?.();
    },
  };
}
