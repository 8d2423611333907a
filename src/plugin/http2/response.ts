import { encodeGrpcMessage } from '../grpcMessage.ts';
import type { GrpcStatus } from '../transport.ts';

/** Index of a name in the static table of HPACK, for literals without indexing (RFC 7541 §6.2.2). */
const CONTENT_TYPE_INDEX = 31;

/** `:status: 200` has index 8. */
const STATUS_200 = Buffer.of(0x88);
/**
 * Sets the size of our dynamic table to 0. Sent once, in front of the first header block: the host then never has to
 * be told of a smaller table, whatever it announces later (RFC 7541 §4.2).
 */
const NO_DYNAMIC_TABLE = Buffer.of(0x20);

const RESPONSE_HEADERS = Buffer.concat([
  STATUS_200,
  Buffer.of(0x0f, CONTENT_TYPE_INDEX - 15),
  stringLiteral('application/grpc'),
]);
const STATUS_NAME = Buffer.concat([Buffer.of(0x00), stringLiteral('grpc-status')]);
const MESSAGE_NAME = Buffer.concat([Buffer.of(0x00), stringLiteral('grpc-message')]);

/** The header blocks of our answers: static entries and literals without indexing, so that no table is needed. */
export class ResponseBlocks {
  #first = true;

  headers(): Buffer {
    return this.#led(RESPONSE_HEADERS);
  }

  /** Trailers behind headers that were sent before. */
  trailers(status: GrpcStatus, message: string | undefined): Buffer {
    return this.#led(trailerFields(status, message));
  }

  /** Headers and trailers in one block: an answer without a body. */
  trailersOnly(status: GrpcStatus, message: string | undefined): Buffer {
    return this.#led(Buffer.concat([RESPONSE_HEADERS, trailerFields(status, message)]));
  }

  #led(block: Buffer): Buffer {
    if (!this.#first) return block;
    this.#first = false;
    return Buffer.concat([NO_DYNAMIC_TABLE, block]);
  }
}

const OK_TRAILERS = Buffer.concat([STATUS_NAME, stringLiteral('0')]);

function trailerFields(status: GrpcStatus, message: string | undefined): Buffer {
  if (status === 0 && !message) return OK_TRAILERS;
  const fields = [STATUS_NAME, stringLiteral(String(status))];
  if (message) fields.push(MESSAGE_NAME, stringLiteral(encodeGrpcMessage(message)));
  return Buffer.concat(fields);
}

/** A string without Huffman code (§5.2), its length with a prefix of 7 bits (§5.1). */
function stringLiteral(text: string): Buffer {
  const length = [];
  let rest = text.length;
  if (rest < 127) {
    length.push(rest);
  } else {
    length.push(127);
    for (rest -= 127; rest > 127; rest = Math.floor(rest / 128)) length.push((rest & 0x7f) | 0x80);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text, 'latin1')]);
}
