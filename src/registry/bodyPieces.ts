import type { BodyPieces } from './httpClient.ts';
import type { RegistryRequest } from './transport.ts';

// Larger writes make the watchdog blind on slow links; smaller ones cost CPU. 512 KiB at 10 KiB/s is below the
// stall time-out, and as fast on loopback as one write of the whole.
const SLICE_BYTES = 512 * 1024;

/**
 * The body of a request in pieces, or `undefined` where it has none.
 *
 * @param onMoved called when the socket has taken a piece
 */
export function bodyPieces({ body, onSent }: RegistryRequest, onMoved: () => void): BodyPieces | undefined {
  if (!body || body.bytes === 0) return undefined;
  // Control comes back once the socket has taken the piece.
  const onTaken = (bytes: number) => {
    onMoved();
    onSent?.(bytes);
  };
  const parts = body.slices();
  return Symbol.iterator in parts ? slicedNow(parts, onTaken) : slicedLater(parts, onTaken);
}

function* slicedNow(parts: Iterable<Uint8Array>, onTaken: (bytes: number) => void) {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += SLICE_BYTES) {
      const slice =
        part.length <= SLICE_BYTES ? part : part.subarray(at, Math.min(at + SLICE_BYTES, part.length));
      yield slice;
      onTaken(slice.length);
    }
  }
}

async function* slicedLater(parts: AsyncIterable<Uint8Array>, onTaken: (bytes: number) => void) {
  for await (const part of parts) yield* slicedNow([part], onTaken);
}
