export interface TagPage {
  readonly tags: string[];
  /** True when further tags follow. */
  readonly more: boolean;
}

/**
 * The tags of one repository. A sorted list serves the pages; additions wait beside it and are merged in
 * when the next page is asked for, removals are skipped while reading. So neither writing nor listing sorts 100,000
 * tags again.
 */
export class TagIndex {
  readonly #digests = new Map<string, string>();
  #sorted: string[] = [];
  #added: string[] = [];
  #stale = 0;

  get size(): number {
    return this.#digests.size;
  }

  get(tag: string): string | undefined {
    return this.#digests.get(tag);
  }

  /** Points the tag at a digest and returns the digest it had. */
  set(tag: string, digest: string): string | undefined {
    const before = this.#digests.get(tag);
    this.#digests.set(tag, digest);
    if (before === undefined) this.#added.push(tag);
    return before;
  }

  delete(tag: string): boolean {
    if (!this.#digests.delete(tag)) return false;
    this.#stale++;
    return true;
  }

  /** All tags in the order in which they were first set. */
  stored(): string[] {
    return [...this.#digests.keys()];
  }

  /** Up to `limit` tags that sort after `last`. */
  page(last: string | undefined, limit: number): TagPage {
    this.#merge();
    const tags: string[] = [];
    let at = last === undefined ? 0 : this.#after(last);
    for (; at < this.#sorted.length; at++) {
      const tag = this.#sorted[at] as string;
      if (!this.#digests.has(tag)) continue;
      if (tags.length === limit) return { tags, more: true };
      tags.push(tag);
    }
    return { tags, more: false };
  }

  #merge(): void {
    const crowded = this.#stale > 64 && this.#stale > this.#sorted.length / 4;
    if (this.#added.length === 0 && !crowded) return;
    // A tag that was deleted and set again sits in both lists: the merge keeps one of equals.
    const added = this.#added.sort();
    const old = this.#sorted;
    const merged: string[] = [];
    let i = 0;
    let j = 0;
    let previous: string | undefined;
    while (i < old.length || j < added.length) {
      const a = old[i];
      const b = added[j];
      const next = b === undefined || (a !== undefined && a < b) ? (a as string) : b;
      if (next === a) i++;
      else j++;
      if (next === previous || !this.#digests.has(next)) continue;
      merged.push(next);
      previous = next;
    }
    this.#sorted = merged;
    this.#added = [];
    this.#stale = 0;
  }

  #after(last: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as string) <= last) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
