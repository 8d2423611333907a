import type { Socket } from 'node:net';
import type { BodyPieces } from '../httpClient.ts';

/** The body of a request. */
export interface OrderBody {
  readonly bytes: number;
  readonly pieces: BodyPieces;
}

/**
 * Writes a body, each piece once the system has taken the one before.
 *
 * @param isOver whether the answer has come already, or never will
 */
export async function writeBody(
  socket: Socket,
  { bytes, pieces }: OrderBody,
  isOver: () => boolean,
): Promise<void> {
  let sent = 0;
  const send = (piece: Uint8Array) => {
    sent += piece.length;
    // What is too much would be taken for the next request.
    if (sent > bytes) throw wrongLength(sent, bytes);
    return written(socket, piece);
  };
  if (Symbol.iterator in pieces) {
    for (const piece of pieces) {
      if (isOver()) return;
      await send(piece);
    }
  } else {
    for await (const piece of pieces) {
      if (isOver()) return;
      await send(piece);
    }
  }
  if (sent !== bytes && !isOver()) throw wrongLength(sent, bytes);
}

function written(socket: Socket, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

function wrongLength(sent: number, bytes: number): RangeError {
  return new RangeError(`expected a request body of ${bytes} bytes, got ${sent}`);
}
