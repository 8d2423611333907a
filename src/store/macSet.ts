const MAC_BYTES = 32;
const FIRST_CAPACITY = 64;

/**
 * A set of MACs in some 50 bytes each, where a Set of strings takes 150: a listing holds all MACs of a type until it
 * has seen the last tag, and a store may have a million.
 */
export class MacSet {
  #macs = Buffer.alloc(FIRST_CAPACITY * MAC_BYTES);
  /** Hash of each MAC, in their order: MACs that differ hardly ever need to be compared, nor be hashed again. */
  #hashes = new Uint32Array(FIRST_CAPACITY);
  /** Ordinals of MACs plus one, by hash; 0 is free. At least half of them are. */
  #slots = new Uint32Array(FIRST_CAPACITY * 2);
  #size = 0;
  #wantedHash = 0;

  get size(): number {
    return this.#size;
  }

  /** @param mac 64 hex digits */
  add(mac: string): void {
    const slot = this.#find(mac);
    if (this.#slots[slot] !== 0) return;
    this.#hashes[this.#size] = this.#wantedHash;
    this.#slots[slot] = ++this.#size;
    // One more has to have room behind the last, for what is looked for.
    if ((this.#size + 1) * MAC_BYTES > this.#macs.length) this.#grow();
  }

  has(mac: string): boolean {
    return this.#slots[this.#find(mac)] !== 0;
  }

  /** In the order in which they came. */
  *[Symbol.iterator](): Generator<string, void, void> {
    for (let at = 0; at < this.#size; at++)
      yield this.#macs.toString('hex', at * MAC_BYTES, (at + 1) * MAC_BYTES);
  }

  /** The slot of a MAC, or the free one where it belongs. Writes the MAC behind the last one. */
  #find(mac: string): number {
    const wanted = this.#size * MAC_BYTES;
    this.#macs.write(mac, wanted, 'hex');
    const hash = this.#hash(wanted);
    this.#wantedHash = hash;
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
  #hash(at: number): number {
    let hash = 0x811c9dc5;
    for (let word = at; word < at + MAC_BYTES; word += 4)
      hash = Math.imul(hash ^ this.#macs.readUInt32LE(word), 0x01000193);
    return (hash ^ (hash >>> 15)) >>> 0;
  }

  #grow(): void {
    const macs = Buffer.alloc(this.#macs.length * 2);
    this.#macs.copy(macs);
    this.#macs = macs;
    const hashes = new Uint32Array(macs.length / MAC_BYTES);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#slots = new Uint32Array((macs.length / MAC_BYTES) * 2);
    const mask = this.#slots.length - 1;
    for (let ordinal = 1; ordinal <= this.#size; ordinal++) {
      let slot = (hashes[ordinal - 1] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = ordinal;
    }
  }
}
