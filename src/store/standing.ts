/**
 * How an object stands among its tags, where it has more than the one of its first generation. That one is not part
 * of it: whether it is there decides nothing here.
 */
export interface Standing {
  /** Later generations that are there, ascending, each at least 1. */
  readonly generations: readonly number[];
  /** The newest generation that a tombstone names: it and those before it are deleted. -1 without one. */
  readonly buried: number;
}

/** Of nearly every object: one tag or none, and no tombstone. */
export const REGULAR: Standing = { generations: [], buried: -1 };

export function isRegular({ generations, buried }: Standing): boolean {
  return generations.length === 0 && buried < 0;
}

/** The newest generation, live or not. */
export function newestOf({ generations }: Standing): number {
  return generations.at(-1) ?? 0;
}

/** False for an object that is deleted, whatever tags it has left. */
export function isLive(standing: Standing): boolean {
  return newestOf(standing) > standing.buried;
}

/** The generation that a put writes: a tombstone is never taken back. */
export function generationToWrite(standing: Standing): number {
  return isLive(standing) ? newestOf(standing) : standing.buried + 1;
}

/** The generations that a deletion has to deal with, oldest first. */
export function liveGenerations({ generations, buried }: Standing): number[] {
  return [0, ...generations].filter((generation) => generation > buried);
}

/** With one more generation. */
export function withGeneration(standing: Standing, generation: number): Standing {
  if (generation === 0 || standing.generations.includes(generation)) return standing;
  return {
    ...standing,
    generations: [...standing.generations, generation].sort((one, other) => one - other),
  };
}

export function withoutGeneration(standing: Standing, generation: number): Standing {
  return { ...standing, generations: standing.generations.filter((one) => one !== generation) };
}

/** With a tombstone for everything up to a generation. */
export function withTombstone(standing: Standing, generation: number): Standing {
  return { ...standing, buried: Math.max(standing.buried, generation) };
}
