import { type HeaderField, STATIC_TABLE } from './hpackTables.ts';
import { decodeHuffman } from './huffman.ts';
import { ConnectionFault, H2_ERROR } from './protocol.ts';

/** Room of the dynamic table until another is announced (RFC 9113 §6.5.2); we announce none. */
const TABLE_BYTES = 4096;
/** Added to the octets of name and value (RFC 7541 §4.1). */
const ENTRY_OVERHEAD_BYTES = 32;

/** The headers of one block, in order. */
export interface DecodedBlock {
  readonly fields: readonly HeaderField[];
  /** True when the headers are larger than allowed; `fields` then holds only the first ones. */
  readonly oversized: boolean;
}

/**
 * HPACK decoder (RFC 7541) with its dynamic table. Every block of a connection must go through it, in order, also
 * those of refused streams: skipping one leaves the table different from the host's.
 */
export class HpackDecoder {
  readonly #maxListBytes: number;
  /** Newest last, so that an insertion moves nothing. */
  readonly #table: HeaderField[] = [];
  #tableBytes = 0;
  #tableLimitBytes = TABLE_BYTES;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;
  #scratch: Buffer = Buffer.allocUnsafe(1024);

  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /** @throws ConnectionFault COMPRESSION_ERROR; the table is then lost and so is the connection */
  decode(block: Uint8Array): DecodedBlock {
    this.#block = block;
    this.#at = 0;
    const fields: HeaderField[] = [];
    let listBytes = 0;
    while (this.#at < block.length) {
      const byte = block[this.#at] as number;
      if ((byte & 0xe0) === 0x20) {
        this.#resize(this.#integer(5), fields.length === 0 && listBytes === 0);
        continue;
      }
      const field = this.#field(byte);
      listBytes += sizeOf(field);
      if (listBytes <= this.#maxListBytes) fields.push(field);
    }
    return { fields, oversized: listBytes > this.#maxListBytes };
  }

  #field(byte: number): HeaderField {
    if (byte & 0x80) return this.#lookup(this.#integer(7));
    const indexed = (byte & 0x40) !== 0;
    const index = this.#integer(indexed ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#lookup(index).name;
    const field = { name, value: this.#string() };
    if (indexed) this.#insert(field);
    return field;
  }

  #lookup(index: number): HeaderField {
    const field =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : this.#table[this.#table.length - (index - STATIC_TABLE.length)];
    if (field === undefined) throw fault(`no header has index ${index}`);
    return field;
  }

  #insert(field: HeaderField): void {
    const bytes = sizeOf(field);
    this.#evictTo(this.#tableLimitBytes - bytes);
    // An entry larger than the table empties it and is not an error (§4.4).
    if (bytes > this.#tableLimitBytes) return;
    this.#table.push(field);
    this.#tableBytes += bytes;
  }

  #resize(bytes: number, first: boolean): void {
    if (!first) throw fault('a table size update behind a header');
    if (bytes > TABLE_BYTES) throw fault(`a table of ${bytes} bytes is larger than allowed`);
    this.#tableLimitBytes = bytes;
    this.#evictTo(bytes);
  }

  #evictTo(bytes: number): void {
    while (this.#tableBytes > bytes) {
      const oldest = this.#table.shift();
      if (oldest === undefined) return;
      this.#tableBytes -= sizeOf(oldest);
    }
  }

  /** An integer with a prefix of `bits` (§5.1). Four further bytes hold more than any length or index can be. */
  #integer(bits: number): number {
    const mask = (1 << bits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw fault('an integer is too large');
  }

  #string(): string {
    const huffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#block.length) throw fault('a string is cut off');
    this.#at = end;
    // Octets as they are: sizes count octets, and a second decoding as UTF-8 is the reader's choice.
    if (!huffman) return viewOf(this.#block).toString('latin1', start, end);
    if (this.#scratch.length < 2 * length) this.#scratch = Buffer.allocUnsafe(2 * length);
    const written = decodeHuffman(this.#block, start, end, this.#scratch);
    return this.#scratch.toString('latin1', 0, written);
  }

  #byte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw fault('the header block is cut off');
    return byte;
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sizeOf(field: HeaderField): number {
  return field.name.length + field.value.length + ENTRY_OVERHEAD_BYTES;
}

function fault(what: string): ConnectionFault {
  return new ConnectionFault(H2_ERROR.COMPRESSION_ERROR, `header compression: ${what}`);
}
