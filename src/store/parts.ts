/**
 * Cuts a stream into consecutive streams of `partBytes`, the last one shorter; an empty stream is one empty part. A
 * part has to be read to its end before the next is asked for.
 */
export async function* partsOf(
  stream: AsyncIterable<Uint8Array>,
  partBytes: number,
): AsyncGenerator<AsyncIterable<Uint8Array>, void, void> {
  const iterator = stream[Symbol.asyncIterator]();
  let rest: Uint8Array | undefined;
  const pull = async (): Promise<boolean> => {
    while (!rest || rest.length === 0) {
      const next = await iterator.next();
      if (next.done) return false;
      rest = next.value;
    }
    return true;
  };
  const part = async function* () {
    for (let left = partBytes; left > 0 && (await pull()); ) {
      const chunk = (rest ?? new Uint8Array()).subarray(0, left);
      rest = rest?.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  };
  try {
    do yield part();
    while (await pull());
  } finally {
    await iterator.return?.();
  }
}
