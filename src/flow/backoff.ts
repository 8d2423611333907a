/** Anything between nothing and the ceiling: spreads those who failed together as widely as can be. */
export function fullJitter(ceilingMs: number, random: () => number = Math.random): number {
  return random() * ceilingMs;
}

/** Between half of the ceiling and all of it. Full jitter may come out near nothing, which is no way to slow down. */
export function equalJitter(ceilingMs: number, random: () => number = Math.random): number {
  return ceilingMs / 2 + (random() * ceilingMs) / 2;
}

/** The ceiling after so many failures: doubled each time, up to a limit. */
export function ceilingMs(baseMs: number, failures: number, maxMs: number): number {
  return Math.min(baseMs * 2 ** Math.min(failures - 1, 40), maxMs);
}
