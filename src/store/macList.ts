/** The MACs of a type, each once. Nothing is asked for before somebody wants the first one. */
export interface MacList extends AsyncIterable<string> {
  /** All of them, of a store that has them in memory anyway: a step of an async iterator for each is a fifth of a listing. */
  readonly atOnce?: () => Promise<Iterable<string>>;
}

/** A list that is whole once it is there. */
export function wholeList(atOnce: () => Promise<Iterable<string>>): MacList {
  async function* oneByOne() {
    yield* await atOnce();
  }
  return { atOnce, [Symbol.asyncIterator]: oneByOne };
}

/** A list that waits for something before. */
export function listAfter(before: () => Promise<void>, list: MacList): MacList {
  const { atOnce } = list;
  async function* oneByOne() {
    await before();
    yield* list;
  }
  return {
    ...(atOnce && { atOnce: () => before().then(atOnce) }),
    [Symbol.asyncIterator]: oneByOne,
  };
}

export async function forEachMac(list: MacList, take: (mac: string) => void): Promise<void> {
  if (list.atOnce) for (const mac of await list.atOnce()) take(mac);
  else for await (const mac of list) take(mac);
}
