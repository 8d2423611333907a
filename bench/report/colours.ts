/** One colour for each program in all charts. */

/** They can be told apart on white and on black, and by people who see few colours. */
const COLOURS = {
  blue: '#3b82c4',
  orange: '#d9822b',
  green: '#4f9d5d',
  rose: '#b5536f',
  violet: '#8a6fc0',
  teal: '#3a9a9a',
  grey: '#8a8a8a',
} as const;

const OF_PROGRAM: Readonly<Record<string, string>> = {
  ours: COLOURS.blue,
  oras: COLOURS.orange,
  crane: COLOURS.green,
  regctl: COLOURS.rose,
  skopeo: COLOURS.violet,
  'restic, rclone': COLOURS.teal,
  bare: COLOURS.grey,
  directory: COLOURS.grey,
  go: COLOURS.rose,
};

/** A colour for each name; names that are not programs take the free ones in turn. */
export function coloursOf(names: readonly string[]): string[] {
  const taken = new Set(names.map((name) => OF_PROGRAM[name]));
  const free = Object.values(COLOURS).filter((colour) => !taken.has(colour));
  let next = 0;
  return names.map((name) => OF_PROGRAM[name] ?? free[next++ % free.length] ?? COLOURS.grey);
}
