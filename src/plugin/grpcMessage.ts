/** Longest `grpc-message` that is sent, in bytes: with it, trailers fit into one frame of any size. */
const MAX_MESSAGE_BYTES = 4096;

/**
 * `grpc-message` as the gRPC protocol wants it: UTF-8, percent-encoded but for printable ASCII. A message of more than
 * {@link MAX_MESSAGE_BYTES} encoded bytes is cut between characters.
 */
export function encodeGrpcMessage(message: string): string {
  let encoded = '';
  for (const character of message) {
    const piece = /^[\x20-\x24\x26-\x7e]$/.test(character) ? character : percentEncoded(character);
    if (encoded.length + piece.length > MAX_MESSAGE_BYTES) break;
    encoded += piece;
  }
  // A field value must not begin or end with a space (RFC 9113 §8.2.1).
  return encoded.replace(/^ | $/g, '%20');
}

function percentEncoded(character: string): string {
  let text = '';
  for (const byte of Buffer.from(character, 'utf8')) {
    text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
