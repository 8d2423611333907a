import type { Hasher, HashLane } from '../workers/hasher.ts';
import type { SharedSlice } from '../workers/slabs.ts';

/** Hashes an object in memory while it arrives, so that its digest is known when its last byte is there. */
export class ArrivalHash {
  readonly #hasher: Hasher;
  #lane: Promise<HashLane> | undefined;
  #hashing: Promise<void> = Promise.resolve();
  #lost = false;

  constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  /** The next bytes. They must not change before {@link digest} has resolved. */
  add(slices: readonly SharedSlice[]): void {
    this.#lane ??= this.#hasher.lane(true);
    const lane = this.#lane;
    this.#hashing = this.#hashing
      .then(async () => {
        if (!this.#lost) await (await lane).update(slices);
      })
      .catch(() => {
        this.#lost = true;
      });
  }

  /** `sha256:<hex>`, or `undefined` when a worker died with the state: the bytes are there to be hashed again. */
  async digest(): Promise<string | undefined> {
    await this.#hashing;
    const lane = this.#lane;
    this.#lane = undefined;
    if (this.#lost || !lane) return undefined;
    return (await lane).digest().catch(() => undefined);
  }

  /** Gives the hash up. */
  drop(): void {
    this.#lost = true;
    this.#lane?.then(
      (lane) => lane.drop(),
      () => {},
    );
    this.#lane = undefined;
  }
}
