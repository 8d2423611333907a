/** The known word that is written most like `word`, if any is near. */
function nearestWord(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.ceil(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate, least);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** `"x" is no WHAT`, with the nearest word or, of a few, all that there are. */
export function unknownWord(word: string, what: string, known: readonly string[]): string {
  const nearest = nearestWord(word, known);
  const hint =
    nearest !== undefined
      ? `; the nearest is "${nearest}"`
      : known.length <= 8
        ? `; there are ${known.join(', ')}`
        : '';
  return `${JSON.stringify(word)} is no ${what}${hint}`;
}

/** Levenshtein's distance, or `limit` where it is at least that: no row of the table is then made. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return Math.min(row[b.length] ?? limit, limit);
}
