/** An HPACK encoder that uses every representation of RFC 7541, as told: for the decoder's tests. */
import { HUFFMAN_CODE_BITS, STATIC_TABLE } from '../../../src/plugin/http2/hpackTables.ts';

/** How one header is to be written. */
export interface Choice {
  readonly form: 'indexing' | 'plain' | 'never';
  readonly huffmanName: boolean;
  readonly huffmanValue: boolean;
  /** Looks for the header or its name in the tables first. */
  readonly useTable: boolean;
}

type Field = readonly [name: string, value: string];

export class TestEncoder {
  /** Newest first, as the RFC numbers them. */
  #table: Field[] = [];
  #limit = 4096;

  resize(bytes: number): Buffer {
    this.#limit = bytes;
    this.#evict();
    return integer(0x20, 5, bytes);
  }

  header(field: Field, choice: Choice): Buffer {
    const [name, value] = field;
    const all = [...STATIC_TABLE.map((one) => [one.name, one.value] as const), ...this.#table];
    const whole = all.findIndex((one) => one[0] === name && one[1] === value);
    if (choice.useTable && whole >= 0) return integer(0x80, 7, whole + 1);
    const named = choice.useTable ? all.findIndex((one) => one[0] === name) + 1 : 0;
    const [pattern, bits] = { indexing: [0x40, 6], plain: [0x00, 4], never: [0x10, 4] }[choice.form] as [
      number,
      number,
    ];
    const pieces = [integer(pattern, bits, named)];
    if (named === 0) pieces.push(string(name, choice.huffmanName));
    pieces.push(string(value, choice.huffmanValue));
    if (choice.form === 'indexing') {
      this.#table.unshift(field);
      this.#evict();
    }
    return Buffer.concat(pieces);
  }

  #evict(): void {
    const size = () => this.#table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (size() > this.#limit) this.#table.pop();
  }
}

export function integer(pattern: number, prefixBits: number, value: number): Buffer {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) return Buffer.of(pattern | value);
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

export function string(text: string, huffman: boolean): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const coded = huffman ? huffmanOf(bytes) : bytes;
  return Buffer.concat([integer(huffman ? 0x80 : 0, 7, coded.length), coded]);
}

const CODES = canonicalCodes();

function huffmanOf(bytes: Uint8Array): Buffer {
  const bits = [...bytes].map((byte) => CODES[byte]).join('');
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from((padded.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
}

function canonicalCodes(): string[] {
  const codes: string[] = [];
  let code = 0n;
  let length = 0;
  const order = HUFFMAN_CODE_BITS.map((bits, symbol) => ({ bits, symbol }));
  order.sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
  for (const { bits, symbol } of order) {
    code <<= BigInt(bits - length);
    length = bits;
    codes[symbol] = code.toString(2).padStart(bits, '0');
    code++;
  }
  return codes;
}
