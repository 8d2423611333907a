import { cancelled, throwIfAborted } from '../../errors.ts';
import type { ObjectRef, ObjectType } from '../objectNames.ts';
import type { CachedObject } from './blockCache.ts';

/** Types whose content never changes and that hosts read in parts. */
export type CachedType = 'packfile' | 'ecc-packfile';

/** A reference to an object of such a type. */
export interface CachedRef extends ObjectRef {
  readonly type: CachedType;
}

export function isCached(ref: { readonly type: ObjectType }): ref is CachedRef {
  return ref.type === 'packfile' || ref.type === 'ecc-packfile';
}

/** The objects that were read, found out about once each. */
export class CachedObjects {
  readonly #limit: number;
  readonly #open: (ref: CachedRef) => Promise<CachedObject>;
  readonly #forgotten: (object: CachedObject) => void;
  // By MAC alone: a tag would have to be put together for every read.
  readonly #known: Record<CachedType, Map<string, CachedObject>> = {
    packfile: new Map(),
    'ecc-packfile': new Map(),
  };
  readonly #opening: Record<CachedType, Map<string, Promise<CachedObject>>> = {
    packfile: new Map(),
    'ecc-packfile': new Map(),
  };

  /**
   * @param limit how many are remembered of each type; the one that was found first goes first
   * @param open finds out about an object
   * @param forgotten told about every object that is known no longer
   */
  constructor(
    limit: number,
    open: (ref: CachedRef) => Promise<CachedObject>,
    forgotten: (object: CachedObject) => void,
  ) {
    this.#limit = limit;
    this.#open = open;
    this.#forgotten = forgotten;
  }

  known(ref: CachedRef): CachedObject | undefined {
    return this.#known[ref.type].get(ref.mac);
  }

  /** The object, with one look for all who ask at once. A failure is not remembered. */
  async find(ref: CachedRef, signal: AbortSignal | undefined): Promise<CachedObject> {
    throwIfAborted(signal);
    const opening = this.#opening[ref.type];
    let found = opening.get(ref.mac);
    if (!found) {
      found = this.#open(ref);
      opening.set(ref.mac, found);
      void this.#remember(ref, found);
    }
    return orAborted(found, signal);
  }

  forget(ref: CachedRef): void {
    this.#opening[ref.type].delete(ref.mac);
    const object = this.#known[ref.type].get(ref.mac);
    if (!object) return;
    this.#known[ref.type].delete(ref.mac);
    this.#forgotten(object);
  }

  async #remember(ref: CachedRef, found: Promise<CachedObject>): Promise<void> {
    const opening = this.#opening[ref.type];
    const known = this.#known[ref.type];
    const object = await found.catch(() => undefined);
    // An object that was forgotten meanwhile may have been replaced by another.
    if (opening.get(ref.mac) !== found) return;
    opening.delete(ref.mac);
    if (!object) return;
    known.set(ref.mac, object);
    if (known.size <= this.#limit) return;
    const [oldest] = known.keys();
    if (oldest !== undefined) this.forget({ type: ref.type, mac: oldest });
  }
}

/** A result that others wait for too; this caller stops waiting when its signal aborts. */
function orAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return result;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(cancelled(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
