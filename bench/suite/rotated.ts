/** Every contestant has every place in the order, so that none always follows the same one. */
export function rotated<T>(all: readonly T[], round: number): T[] {
  return all.map((_, i) => all[(i + round) % all.length] as T);
}
