/** A table as rows of cells, so that the same one can be written as markdown and as HTML. */
export interface Table {
  readonly head: readonly string[];
  /** Numbers are set to the right, where a column has nothing else but gaps. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Without the columns in which no row has anything. */
export function withoutEmptyColumns({ head, rows }: Table): Table {
  const kept = head.map((_, at) => rows.some((row) => row[at] !== ''));
  const pick = <T>(cells: readonly T[]) => cells.filter((_, at) => kept[at]);
  return { head: pick(head), rows: rows.map(pick) };
}

/** As markdown with columns of equal width, as its formatter wants it. */
export function markdownTable({ head, rows }: Table): string {
  const right = head.map((_, at) => isFigures(rows.map((row) => row[at] ?? '')));
  const texts = [head, ...rows].map((row) => row.map((cell) => textOf(cell).replaceAll('|', '\\|')));
  const widths = head.map((_, at) => Math.max(3, ...texts.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (right[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, at) => (right[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  const [titles = [], ...body] = texts;
  return `${[titles, rule, ...body].map(line).join('\n')}\n`;
}

const isFigures = (cells: readonly (string | number)[]) =>
  cells.every((cell) => typeof cell === 'number' || cell === '' || /^[\d.,]+( \([\d.,–]+\))?$/.test(cell));

const textOf = (cell: string | number) => (typeof cell === 'number' ? figure(cell) : cell);

/** Three digits, as many as there are reasons for. */
export function figure(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
