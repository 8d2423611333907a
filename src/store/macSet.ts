export const MAC_BYTES = 32;
const MAC_WORDS = MAC_BYTES / 4;
const FIRST_CAPACITY = 64;
/** MACs that are written as one text, of which each is a part: a call per MAC would be most of the time. */
const TEXT_MACS = 512;

/**
 * A set of MACs in some 50 bytes each, where a Set of strings takes 150: a listing holds all MACs of a type until it
 * has seen the last tag, and a store may have a million.
 *
 * Registries list tags in order, and MACs that ascend are all different: there is no index until one comes out of order
 * or is looked for. A million places in memory, none near the one before, took as long as all else of a listing.
 */
export class MacSet {
  #macs = Buffer.alloc(FIRST_CAPACITY * MAC_BYTES);
  /** The same memory: reading it word by word through the buffer took half of the time of a walk. */
  #words = wordsOf(this.#macs);
  #size = 0;
  #isIndexed = false;
  /** Hash of each MAC, in their order: MACs that differ hardly ever need to be compared. */
  #hashes = new Uint32Array();
  /** Ordinals of MACs plus one, by hash; 0 is free. At least half of them are. */
  #slots = new Uint32Array();

  get size(): number {
    return this.#size;
  }

  /** @param mac 64 hex digits */
  add(mac: string): void {
    this.#want(mac);
    this.#add();
  }

  /** Many at once, each of 32 bytes. */
  addAll(macs: Uint32Array): void {
    for (let at = 0; at < macs.length; at += MAC_WORDS) {
      const words = this.#words;
      const wanted = this.#size * MAC_WORDS;
      for (let word = 0; word < MAC_WORDS; word++) words[wanted + word] = macs[at + word] as number;
      this.#add();
    }
  }

  has(mac: string): boolean {
    this.#want(mac);
    const slot = this.#find();
    return this.#slots[slot] !== 0;
  }

  /** In the order in which they came. */
  *[Symbol.iterator](): Generator<string, void, void> {
    for (let first = 0; first < this.#size; first += TEXT_MACS) {
      const end = Math.min(first + TEXT_MACS, this.#size);
      const text = this.#macs.toString('hex', first * MAC_BYTES, end * MAC_BYTES);
      for (let at = 0; at < text.length; at += 2 * MAC_BYTES) yield text.slice(at, at + 2 * MAC_BYTES);
    }
  }

  /** Writes a MAC behind the last one. */
  #want(mac: string): void {
    this.#macs.write(mac, this.#size * MAC_BYTES, 'hex');
  }

  /** Adds the MAC behind the last one. */
  #add(): void {
    if (this.#isIndexed || !this.#ascends()) {
      const slot = this.#find();
      if (this.#slots[slot] !== 0) return;
      this.#hashes[this.#size] = this.#hash(this.#size);
      this.#slots[slot] = this.#size + 1;
    }
    this.#size++;
    // One more has to have room behind the last, for what is looked for.
    if ((this.#size + 1) * MAC_BYTES > this.#macs.length) this.#grow();
  }

  /** Whether the MAC behind the last one is greater than it. */
  #ascends(): boolean {
    if (this.#size === 0) return true;
    const macs = this.#macs;
    const wanted = this.#size * MAC_BYTES;
    for (let at = wanted; at < wanted + MAC_BYTES; at++) {
      const difference = (macs[at] as number) - (macs[at - MAC_BYTES] as number);
      if (difference !== 0) return difference > 0;
    }
    return false;
  }

  /** The slot of the MAC behind the last one, or the free one where it belongs. */
  #find(): number {
    if (!this.#isIndexed) this.#index();
    const wanted = this.#size * MAC_BYTES;
    const hash = this.#hash(this.#size);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const ordinal = this.#slots[slot] as number;
      if (ordinal === 0) return slot;
      if (this.#hashes[ordinal - 1] !== hash) continue;
      const at = (ordinal - 1) * MAC_BYTES;
      if (this.#macs.compare(this.#macs, at, at + MAC_BYTES, wanted, wanted + MAC_BYTES) === 0) return slot;
    }
  }

  // Over all bytes: names that somebody gives by hand differ in the last ones only.
  #hash(place: number): number {
    const words = this.#words;
    let hash = 0x811c9dc5;
    for (let word = place * MAC_WORDS; word < (place + 1) * MAC_WORDS; word++)
      hash = Math.imul(hash ^ (words[word] as number), 0x01000193);
    return (hash ^ (hash >>> 15)) >>> 0;
  }

  #grow(): void {
    const macs = Buffer.alloc(this.#macs.length * 2);
    this.#macs.copy(macs);
    this.#macs = macs;
    this.#words = wordsOf(macs);
    if (this.#isIndexed) this.#index();
  }

  #index(): void {
    this.#isIndexed = true;
    const capacity = this.#macs.length / MAC_BYTES;
    const hashes = new Uint32Array(capacity);
    const slots = new Uint32Array(capacity * 2);
    const mask = slots.length - 1;
    for (let place = 0; place < this.#size; place++) {
      const hash = this.#hash(place);
      hashes[place] = hash;
      let slot = hash & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = place + 1;
    }
    this.#hashes = hashes;
    this.#slots = slots;
  }
}

function wordsOf(macs: Buffer): Uint32Array {
  return new Uint32Array(macs.buffer, macs.byteOffset, macs.length / 4);
}
