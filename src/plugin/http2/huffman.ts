import { HUFFMAN_CODE_BITS, HUFFMAN_EOS } from './hpackTables.ts';
import { ConnectionFault, H2_ERROR } from './protocol.ts';

/** A walk that ends in no symbol: the codes are complete, so only a fault in the table could leave one. */
const LEAF = 0x4000;

/** The two children of node n are at 2n and 2n + 1: another node, or LEAF + symbol. */
const TREE = buildTree();

/**
 * Decodes a Huffman string (RFC 7541 §5.2) into `target` and returns the number of bytes written. `target` must have
 * room for 8/5 of the input, since the shortest code has five bits.
 *
 * @throws ConnectionFault COMPRESSION_ERROR for EOS inside the string, and for padding that is longer than 7 bits or
 *   not all ones
 */
export function decodeHuffman(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let written = 0;
  let node = 0;
  let depth = 0;
  let onesOnly = true;
  for (let at = start; at < end; at++) {
    const byte = source[at] as number;
    for (let mask = 0x80; mask !== 0; mask >>= 1) {
      const bit = (byte & mask) === 0 ? 0 : 1;
      const next = TREE[2 * node + bit] as number;
      if (next < LEAF) {
        node = next;
        depth++;
        onesOnly &&= bit === 1;
        continue;
      }
      if (next === LEAF + HUFFMAN_EOS) throw fault('EOS inside of a string');
      target[written++] = next - LEAF;
      node = 0;
      depth = 0;
      onesOnly = true;
    }
  }
  if (depth > 7 || !onesOnly) throw fault('wrong padding of a string');
  return written;
}

function fault(what: string): ConnectionFault {
  return new ConnectionFault(H2_ERROR.COMPRESSION_ERROR, `Huffman code: ${what}`);
}

function buildTree(): Uint16Array {
  const symbols = HUFFMAN_CODE_BITS.map((bits, symbol) => ({ bits, symbol })).sort(
    (a, b) => a.bits - b.bits || a.symbol - b.symbol,
  );
  const tree = new Uint16Array(2 * symbols.length);
  let nodes = 1;
  let code = 0;
  let length = 0;
  for (const { bits, symbol } of symbols) {
    code *= 2 ** (bits - length);
    length = bits;
    let node = 0;
    for (let shift = bits - 1; shift > 0; shift--) {
      const slot = 2 * node + ((code >>> shift) & 1);
      if (tree[slot] === 0) tree[slot] = nodes++;
      node = tree[slot] as number;
    }
    tree[2 * node + (code & 1)] = LEAF + symbol;
    code++;
  }
  return tree;
}
