import { asKlosetError, KlosetError } from '../errors.ts';
import { ByteBudget } from '../flow/byteBudget.ts';
import { orAborted } from '../flow/orAborted.ts';
import { describeRef, type ObjectRef, tagOf } from './objectNames.ts';

/** A place among the pending puts: to be taken or left. */
export interface PendingPlace {
  /** Follows a put that is acknowledged now. */
  take(ref: ObjectRef, stored: Promise<unknown>): void;
  leave(): void;
}

// Four times as many as the engine has under way by default: enough to keep it busy whatever the sizes are.
const DEFAULT_MAX_PENDING = 64;

/**
 * The puts that were acknowledged and have not ended, and those that failed. A failure stays until a later put of the
 * same object succeeds: the host was told that the object is stored, and may have built on it.
 */
export class PendingPuts {
  readonly #places: ByteBudget;
  /** What is pending, with the tag of its object. The promises never reject. */
  readonly #pending = new Map<Promise<void>, string>();
  /** In the order in which they came. */
  readonly #failures = new Map<string, KlosetError>();

  constructor(maxPending: number = DEFAULT_MAX_PENDING) {
    this.#places = new ByteBudget(maxPending);
  }

  /** Waits for a place, first come first served. */
  async place(signal: AbortSignal | undefined): Promise<PendingPlace> {
    await this.#places.acquire(1, signal);
    return {
      take: (ref, stored) => this.#follow(ref, stored),
      leave: () => this.#places.release(1),
    };
  }

  /** Resolves when everything that is pending now, or all of one object, has ended. Never rejects. */
  async settled(tag?: string): Promise<void> {
    const waited = [...this.#pending].filter(([, of]) => tag === undefined || of === tag);
    await Promise.all(waited.map(([ended]) => ended));
  }

  /** Waits for everything that is pending now, and fails if anything has failed. */
  async barrier(signal: AbortSignal | undefined): Promise<void> {
    await orAborted(this.settled(), signal);
    this.throwFailure();
  }

  /** The same for one object. */
  async barrierOf(tag: string, signal: AbortSignal | undefined): Promise<void> {
    await orAborted(this.settled(tag), signal);
    const failure = this.#failures.get(tag);
    if (failure) throw failure;
  }

  /** Throws the first failure that was not mended. */
  throwFailure(): void {
    for (const failure of this.#failures.values()) throw failure;
  }

  throwFailureOfOthers(tag: string): void {
    for (const [failed, failure] of this.#failures) if (failed !== tag) throw failure;
  }

  hasFailures(): boolean {
    return this.#failures.size > 0;
  }

  /** A later put of the object has succeeded. */
  mended(tag: string): void {
    this.#failures.delete(tag);
  }

  #follow(ref: ObjectRef, stored: Promise<unknown>): void {
    const tag = tagOf(ref);
    const ended = stored
      .then(
        () => this.mended(tag),
        (error) => {
          if (!this.#failures.has(tag)) this.#failures.set(tag, lateFailure(ref, error));
        },
      )
      .then(() => {
        this.#pending.delete(ended);
        this.#places.release(1);
      });
    this.#pending.set(ended, tag);
  }
}

function lateFailure(ref: ObjectRef, thrown: unknown): KlosetError {
  const cause = asKlosetError(thrown);
  return new KlosetError(cause.code, `was accepted but could not be stored: ${cause.summary}`, {
    ...cause.details,
    object: describeRef(ref),
    remedy: cause.details.remedy ?? 'Nothing that names it was stored after it: run the backup again.',
    cause,
  });
}
