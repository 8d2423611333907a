/** The encoding of protobuf, as far as the answers need it. Fields that hold their default are left out. */

const VARINT = 0;
const DELIMITED = 2;

/** A number from 0 to 2^53 − 1 in base 128, least significant digit first. */
function varint(value: number): number[] {
  const digits: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) | 0x80);
  digits.push(rest);
  return digits;
}

/** An int32 or int64 field. Negative numbers take ten bytes, as the wire format wants it. */
export function intField(field: number, value: number): Uint8Array {
  if (value === 0) return new Uint8Array();
  const tag = varint(field * 8 + VARINT);
  if (value > 0) return Uint8Array.from([...tag, ...varint(value)]);
  const digits: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...tag, ...digits, Number(rest)]);
}

/** What stands before the content of a length-delimited field. */
export function delimitedHead(field: number, lengthBytes: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8 + DELIMITED), ...varint(lengthBytes)]);
}

/** A bytes field, its content by reference. */
export function bytesField(field: number, content: Uint8Array): Uint8Array[] {
  return content.length === 0 ? [] : [delimitedHead(field, content.length), content];
}

/** A string field. */
export function stringField(field: number, text: string): Uint8Array[] {
  return bytesField(field, Buffer.from(text, 'utf8'));
}
