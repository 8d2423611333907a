/** Bytes in pieces of arbitrary lengths, as a pipe delivers them. */
import fc from 'fast-check';

export const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 });

/** Cut lengths are used in turn; none means one piece. */
export function* split(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = lengths.length === 0 ? bytes.length : at + (lengths[turn % lengths.length] as number);
    // A copy that is overwritten afterwards, like the connection's one read buffer.
    const piece = Uint8Array.from(bytes.subarray(at, end));
    yield piece;
    piece.fill(0xee);
    at = end;
  }
}
