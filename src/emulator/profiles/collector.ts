/** The blobs that a garbage collection is about to take away; an upload of the same blob saves it. */
export class Collector {
  readonly #marked = new Set<string>();

  mark(repository: string, digest: string): void {
    this.#marked.add(`${repository}@${digest}`);
  }

  isAt(repository: string, digest: string): boolean {
    return this.#marked.has(`${repository}@${digest}`);
  }

  spare(repository: string, digest: string): void {
    this.#marked.delete(`${repository}@${digest}`);
  }
}
