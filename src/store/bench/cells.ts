const KIB = 1024;
const MIB = 1024 * KIB;

/** Lengths of the objects that are measured, in bytes. A packfile of plakar's is 20 MiB unless it is the last one. */
export const OBJECT_BYTES = { small: 64 * KIB, large: 2 * MIB, packfile: 20 * MIB } as const;
type ObjectSize = keyof typeof OBJECT_BYTES;

/** `configured` is the upload mode of the options, by default `auto`. */
export type CellMode = 'configured' | 'chunked';

/** One thing that is measured, once in each round. */
export interface Cell {
  /** A stable name, for programs: `push packfile x4`. */
  readonly name: string;
  /** `read`: parts of packfiles, as a restore reads them; `list`: all objects of the repository. */
  readonly what: 'push' | 'pull' | 'read' | 'list';
  readonly size: ObjectSize;
  readonly mode: CellMode;
  /** How many are under way at once. */
  readonly lanes: number;
  /** How many objects are moved in a round. */
  readonly objects: number;
  /** The cell whose objects it reads; of pushes and lists none. */
  readonly from?: string;
}

function push(size: ObjectSize, lanes: number, objects: number, mode: CellMode = 'configured'): Cell {
  const how = mode === 'chunked' ? ' chunked' : '';
  return { name: `push ${size} x${lanes}${how}`, what: 'push', size, mode, lanes, objects };
}

function pull(from: Cell): Cell {
  const { size, lanes, objects, mode } = from;
  return { name: `pull ${size} x${lanes}`, what: 'pull', size, mode, lanes, objects, from: from.name };
}

const SMALL_4 = push('small', 4, 8);
const PACKFILE_1 = push('packfile', 1, 1);
const PACKFILE_4 = push('packfile', 4, 4);
const LARGE_1 = push('large', 1, 1);
const LARGE_4 = push('large', 4, 4);

/** The readers of a restore. */
export const READERS = 2;

/** All that can be measured, what matters most first: what the bounds do not allow is left out from the end. */
export const CELLS: readonly Cell[] = [
  SMALL_4,
  pull(SMALL_4),
  { name: 'list', what: 'list', size: 'small', mode: 'configured', lanes: 1, objects: 0 },
  PACKFILE_1,
  {
    name: 'restore reads',
    what: 'read',
    size: 'packfile',
    mode: 'configured',
    lanes: READERS,
    objects: 1,
    from: PACKFILE_1.name,
  },
  push('packfile', 1, 1, 'chunked'),
  pull(PACKFILE_1),
  push('small', 1, 2),
  push('small', 16, 16),
  push('small', 32, 32),
  PACKFILE_4,
  LARGE_1,
  LARGE_4,
  pull(LARGE_1),
  pull(LARGE_4),
  pull(PACKFILE_4),
  push('large', 16, 16),
];

const WARM_SMALL: Cell = { ...SMALL_4, name: 'warm up small', objects: 16 };

/**
 * What comes before the first round, so that connections, tokens, what the engine finds out and the compiler cost
 * nothing in it.
 */
export const WARM_UP: readonly Cell[] = [
  WARM_SMALL,
  { ...pull(WARM_SMALL), name: 'warm up pull' },
  { ...LARGE_1, name: 'warm up large' },
  { ...LARGE_1, name: 'warm up chunked', mode: 'chunked' },
];
