import type { Moment } from './definition.ts';
import type { Kind } from './kinds.ts';
import type { ParamTable, Values } from './params.ts';

/** What every fault takes that strikes requests. A fault's own parameter of the same name goes before. */
export const FILTERS: ParamTable = {
  repo: { type: 'text', says: 'only requests of this repository' },
  by: { type: ['tag', 'digest'], says: 'only manifests that are named this way' },
  part: {
    type: ['first', 'later'],
    says: 'only chunks, reads and tag pages that begin the whole, or only those that continue it',
  },
  body: { type: ['empty', 'some', 'chunked'], says: 'only requests with such a body' },
  has: { type: 'text', says: 'only requests with this header' },
  nth: { type: 'span', says: 'of those that all of the above leave only these, counted from 1' },
  every: { type: 'count', says: 'with 10 only the 10th, the 20th and so on of them' },
  p: { type: 'chance', says: 'each with this probability' },
  from: { type: 'time', says: 'only from this time after the plan came into force' },
  for: { type: 'time', says: 'only for this long' },
  count: { type: 'count', says: 'this often at most' },
};

/** Decides which requests a fault strikes, in the order of their arrival. */
export class Filter {
  readonly #values: Values;
  readonly #kinds: ReadonlySet<Kind>;
  readonly #random: () => number;
  /** The fault's own parameters: one that is named like a filter is none. */
  readonly #own: ParamTable;
  #startMs: number;
  /** Requests that the fault could strike so far. */
  seen = 0;
  hits = 0;

  constructor(
    values: Values,
    kinds: readonly Kind[],
    own: ParamTable,
    random: () => number,
    startMs: number,
  ) {
    this.#values = values;
    this.#own = own;
    this.#kinds = new Set(kinds);
    this.#random = random;
    this.#startMs = startMs;
  }

  /** The plan comes into force: its windows count from here. */
  begin(startMs: number): void {
    this.#startMs = startMs;
  }

  strikes(moment: Moment): boolean {
    if (!this.#kinds.has(moment.kind) || !this.#fits(moment)) return false;
    this.seen++;
    const nth = this.#values.span('nth');
    if (nth && (this.seen < nth.first || this.seen > nth.last)) return false;
    const every = this.#values.number('every');
    if (every !== undefined && this.seen % every !== 0) return false;
    const chance = this.#values.number('p');
    // Drawn also outside of the window: what is drawn depends on the order of requests alone.
    if (chance !== undefined && this.#random() >= chance) return false;
    return (
      this.#inWindow(moment.nowMs) && this.hits < (this.#values.number('count') ?? Number.POSITIVE_INFINITY)
    );
  }

  #inWindow(nowMs: number): boolean {
    const from = this.#values.number('from') ?? 0;
    const length = Object.hasOwn(this.#own, 'for') ? undefined : this.#values.number('for');
    const passed = nowMs - this.#startMs;
    return passed >= from && (length === undefined || passed < from + length);
  }

  #fits(moment: Moment): boolean {
    const { exchange, declaredBytes } = moment;
    const text = (key: string) => (Object.hasOwn(this.#own, key) ? undefined : this.#values.text(key));
    const repo = text('repo');
    if (repo !== undefined && exchange.repository !== repo) return false;
    const by = text('by');
    if (by !== undefined && (exchange.reference?.includes(':') ? 'digest' : 'tag') !== by) return false;
    const part = text('part');
    if (part !== undefined && (continues(moment) ? 'later' : 'first') !== part) return false;
    const has = text('has')?.toLowerCase();
    if (has !== undefined && exchange.headers[has] === undefined) return false;
    const body = text('body');
    if (body === undefined) return true;
    if (declaredBytes === undefined) return body === 'chunked';
    return body === (declaredBytes === 0 ? 'empty' : 'some');
  }
}

/** True for a chunk behind the first, a read from the middle, a page of tags behind the first. */
function continues({ exchange, kind }: Moment): boolean {
  if (kind === 'tag-list') return exchange.query.has('last');
  if (kind === 'blob-read') return /^bytes=0*[1-9]/.test(exchange.headers.range ?? '');
  return /^0*[1-9]/.test(exchange.headers['content-range'] ?? '');
}
