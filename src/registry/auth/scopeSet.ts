/**
 * Scopes in an order, at most one for each resource: `repository:a/b:pull` and `repository:a/b:push` are one. What does
 * not look like a scope is kept as it is, since the registry that spelt it wants it back that way.
 */
export class ScopeSet {
  readonly #actions: ReadonlyMap<string, readonly string[]>;

  private constructor(actions: ReadonlyMap<string, readonly string[]>) {
    this.#actions = actions;
  }

  static readonly empty = new ScopeSet(new Map());

  /** Reads scopes as a challenge has them: separated by spaces (GitLab writes two into one string). */
  static parse(text: string): ScopeSet {
    let set = ScopeSet.empty;
    for (const part of text.split(/[ \t]+/)) if (part !== '') set = set.with(ScopeSet.#one(part));
    return set;
  }

  static repository(name: string, actions: readonly string[]): ScopeSet {
    return new ScopeSet(new Map([[`repository:${name}`, actions]]));
  }

  static #one(text: string): ScopeSet {
    const colon = text.lastIndexOf(':');
    const actions = text.slice(colon + 1).split(',');
    // An action that is missing would be lost in the list.
    const odd = colon <= 0 || actions.includes('');
    return new ScopeSet(new Map(odd ? [[text, []]] : [[text.slice(0, colon), actions]]));
  }

  /** These scopes first, then those of the other set that they do not have. */
  with(other: ScopeSet): ScopeSet {
    const merged = new Map(this.#actions);
    for (const [resource, actions] of other.#actions) {
      const mine = merged.get(resource) ?? [];
      merged.set(resource, [...mine, ...actions.filter((action) => !mine.includes(action))]);
    }
    return new ScopeSet(merged);
  }

  covers(other: ScopeSet): boolean {
    return [...other.#actions].every(([resource, actions]) => {
      const mine = this.#actions.get(resource);
      return mine !== undefined && actions.every((action) => mine.includes(action));
    });
  }

  /** Whether both begin with the same resource: some token services look at the first scope only. */
  beginsLike(other: ScopeSet): boolean {
    const [first] = this.#actions.keys();
    const [theirs] = other.#actions.keys();
    return theirs === undefined || first === theirs;
  }

  /** Each scope as a token service wants it. */
  list(): string[] {
    return [...this.#actions].map(([resource, actions]) =>
      actions.length === 0 ? resource : `${resource}:${actions.join(',')}`,
    );
  }

  toString(): string {
    return this.list().join(' ');
  }
}
