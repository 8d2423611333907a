import type { TagReader } from '../registry/plainTags.ts';
import { MAC_BYTES, type MacSet } from './macSet.ts';
import { OBJECT_TYPES, type ObjectType, TAG_PREFIXES } from './objectNames.ts';

const QUOTE = '"'.charCodeAt(0);
/** Above every byte, and still so when it is moved by a digit. */
const NO_DIGIT = 0x100;
/** Values of hex digits by their bytes. */
const DIGITS = new Uint16Array(256).fill(NO_DIGIT);
for (const [value, digit] of [...'0123456789abcdef'].entries()) DIGITS[digit.charCodeAt(0)] = value;

/**
 * The tags of a page, of which nearly all are `packfiles-` and 64 digits: from those the MAC is read without a string in
 * between. They are kept apart until the page was read to its end, since only then it is known that it was what it
 * seemed to be.
 */
export class RegularTags implements TagReader {
  readonly #types: readonly TypeTags[];
  #latest: TypeTags;
  #others: string[] = [];

  /** @param macs takes the MACs of the types that are wanted */
  constructor(macs: ReadonlyMap<ObjectType, MacSet>) {
    this.#types = OBJECT_TYPES.map((type) => new TypeTags(Buffer.from(TAG_PREFIXES[type]), macs.get(type)));
    this.#latest = this.#types[0] as TypeTags;
  }

  take(body: Uint8Array, at: number): number {
    // Lists are sorted, or nearly so.
    const end = this.#latest.take(body, at);
    if (end > 0) return end;
    for (const type of this.#types) {
      const end = type.take(body, at);
      if (end === 0) continue;
      this.#latest = type;
      return end;
    }
    return 0;
  }

  takeOther(tag: string): void {
    this.#others.push(tag);
  }

  /** Puts the MACs into their sets; returns the other tags. */
  keep(): readonly string[] {
    for (const type of this.#types) type.keep();
    const others = this.#others;
    this.forget();
    return others;
  }

  forget(): void {
    for (const type of this.#types) type.forget();
    this.#others = [];
  }
}

/** Those of one type. */
class TypeTags {
  readonly #prefix: Buffer;
  readonly #set: MacSet | undefined;
  #macs = new Uint8Array(64 * MAC_BYTES);
  #usedBytes = 0;

  constructor(prefix: Buffer, set: MacSet | undefined) {
    this.#prefix = prefix;
    this.#set = set;
  }

  take(body: Uint8Array, at: number): number {
    const prefix = this.#prefix;
    for (let i = 0; i < prefix.length; i++) if (body[at + i] !== prefix[i]) return 0;
    const from = at + prefix.length;
    const end = from + 2 * MAC_BYTES;
    if (body[end] !== QUOTE) return 0;
    if (this.#usedBytes === this.#macs.length) this.#grow();
    const macs = this.#macs;
    let to = this.#usedBytes;
    let all = 0;
    for (let digit = from; digit < end; digit += 2) {
      const high = DIGITS[body[digit] as number] as number;
      const value = (high << 4) | (DIGITS[body[digit + 1] as number] as number);
      macs[to++] = value;
      all |= value;
    }
    if (all >= NO_DIGIT) return 0;
    if (this.#set) this.#usedBytes = to;
    return end;
  }

  keep(): void {
    this.#set?.addAll(new Uint32Array(this.#macs.buffer, 0, this.#usedBytes / 4));
  }

  forget(): void {
    this.#usedBytes = 0;
  }

  #grow(): void {
    const macs = new Uint8Array(this.#macs.length * 2);
    macs.set(this.#macs);
    this.#macs = macs;
  }
}
