import type { ScopeSet } from './scopeSet.ts';
import { SharedWork } from './sharedWork.ts';
import type { GrantedToken } from './tokenAnswer.ts';

/** A token with what it was asked for. */
export interface HeldToken {
  readonly token: string;
  readonly scopes: ScopeSet;
  /** When it was asked for, by the clock. */
  readonly askedMs: number;
  readonly lifeMs: number;
}

/** What a request needs a token for. */
export interface TokenNeed {
  readonly scopes: ScopeSet;
  /** A body that takes long to send should not set out with a token about to end. */
  readonly longBody: boolean;
  readonly signal: AbortSignal | undefined;
}

// One store asks for two or three sets of scopes; more would be a registry that changes its mind.
const MAX_HELD = 8;

/**
 * How long before its end a token is replaced, in milliseconds. A tenth of its life; before a long body 10 s, or a
 * fifth of a long life, but never more than a quarter, since a token that is replaced sooner costs requests.
 */
export function refreshMarginMs(lifeMs: number, longBody: boolean): number {
  if (!longBody) return lifeMs / 10;
  return Math.min(Math.max(10_000, lifeMs / 5), lifeMs / 4);
}

/** The tokens of one registry. Whoever needs one that is being asked for waits for that one. */
export class TokenShelf {
  readonly #now: () => number;
  readonly #fetching = new SharedWork<HeldToken>();
  #held: HeldToken[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * A token that was asked for with at least these scopes: one that is here, else what `obtain` brings.
   *
   * @param ask the scopes to ask for, in their order, where a new one is needed
   */
  async get(
    need: TokenNeed,
    ask: ScopeSet,
    obtain: (scopes: ScopeSet, signal: AbortSignal) => Promise<GrantedToken & { scopes: ScopeSet }>,
  ): Promise<HeldToken> {
    const here = this.#held.find((token) => token.scopes.covers(need.scopes) && token.scopes.beginsLike(ask));
    const leftMs = here ? here.askedMs + here.lifeMs - this.#now() : 0;
    if (here && leftMs > refreshMarginMs(here.lifeMs, need.longBody)) return here;
    try {
      return await this.#fetching.run(
        ask.toString(),
        async (signal) => {
          const askedMs = this.#now();
          const { token, lifeMs, scopes } = await obtain(ask, signal);
          const held = { token, lifeMs, scopes, askedMs };
          this.#held = [held, ...this.#held.filter((old) => !scopes.covers(old.scopes))].slice(0, MAX_HELD);
          return held;
        },
        need.signal,
      );
    } catch (error) {
      // A token service that is away for a moment does not matter while the token lasts.
      if (here && here.askedMs + here.lifeMs > this.#now() && !need.signal?.aborted) return here;
      throw error;
    }
  }

  /** Takes away a token that the registry refused. */
  drop(token: HeldToken): void {
    this.#held = this.#held.filter((held) => held !== token);
  }
}
