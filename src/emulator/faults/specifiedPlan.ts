import type {
  AnswerHead,
  Exchange,
  FaultAction,
  FaultControls,
  FaultPlan,
  RequestChange,
} from '../faults.ts';
import type { FaultHooks, Moment } from './definition.ts';
import type { Filter } from './filter.ts';
import { kindOf } from './kinds.ts';

/** One fault of a plan, as it stands. */
export interface FaultCount {
  /** The fault in the shortest form in which it can be written. */
  readonly spec: string;
  /** Requests that it could have struck by their kind and the filters on them. */
  readonly seen: number;
  /** How often it struck. */
  readonly hits: number;
}

/** A plan with its counts. */
export interface CountedPlan extends FaultPlan {
  readonly seed: number;
  counts(): readonly FaultCount[];
}

/** A fault in force. */
export interface ActiveFault {
  readonly spec: string;
  /** It decides itself whether it has something to do: see FaultDefinition. */
  readonly picks: boolean;
  readonly filter: Filter;
  readonly hooks: FaultHooks;
}

/** One exchange with the faults that strike it. */
interface Course {
  readonly moment: Moment;
  readonly struck: readonly ActiveFault[];
  /** Length of the answer's body, and how much of it has passed. */
  answerBytes: number;
  passedBytes: number;
}

/** Several faults as one plan. What is random or counted is decided when a request arrives, in that order. */
export class SpecifiedPlan implements CountedPlan {
  readonly seed: number;
  /** Absent without a fault that needs it, since bodies then go out without a copy. */
  readonly body?: (exchange: Exchange, chunk: Uint8Array) => Uint8Array;
  readonly #faults: readonly ActiveFault[];
  readonly #nowMs: () => number;
  readonly #courses = new WeakMap<Exchange, Course>();

  constructor(faults: readonly ActiveFault[], seed: number, nowMs: () => number) {
    this.#faults = faults;
    this.seed = seed;
    this.#nowMs = nowMs;
    if (faults.some(({ hooks }) => hooks.body)) {
      this.body = (exchange, chunk) => this.#changedBody(exchange, chunk);
    }
  }

  counts(): readonly FaultCount[] {
    return this.#faults.map(({ spec, filter }) => ({ spec, seen: filter.seen, hits: filter.hits }));
  }

  start(controls: FaultControls): () => void {
    for (const { filter } of this.#faults) filter.begin(this.#nowMs());
    const stops = this.#faults.map(({ hooks }) => hooks.start?.(controls));
    return () => {
      for (const stop of stops) stop?.();
    };
  }

  before(exchange: Exchange): FaultAction | undefined {
    const moment = this.#momentOf(exchange);
    const struck = this.#faults.filter((fault) => fault.filter.strikes(moment));
    this.#courses.set(exchange, { moment, struck, answerBytes: 0, passedBytes: 0 });
    const waits: Promise<unknown>[] = [];
    let action: FaultAction | undefined;
    for (const fault of struck) {
      if (!fault.picks) fault.filter.hits++;
      // What ends the request ends it once: a bucket is not emptied by requests that another fault has answered.
      const wanted = action ? undefined : fault.hooks.before?.(moment);
      if (!wanted) continue;
      if (fault.picks) fault.filter.hits++;
      if (wanted.kind === 'hold') waits.push(wanted.until);
      else action = wanted;
    }
    if (waits.length === 0) return action;
    return { kind: 'hold', until: Promise.all(waits), ...(action && { next: action }) };
  }

  request(exchange: Exchange): RequestChange | undefined {
    const course = this.#courses.get(exchange);
    const changes = course?.struck.flatMap(({ hooks }) => hooks.request?.(course.moment) ?? []) ?? [];
    const [only] = changes;
    return changes.length > 1 ? changes.reduce(bothChanges) : only;
  }

  answer(exchange: Exchange, head: AnswerHead): AnswerHead | undefined {
    const course = this.#courses.get(exchange);
    if (!course) return undefined;
    for (const { hooks } of this.#faults) hooks.watch?.(course.moment, head.status, head.headers);
    let edited = head;
    for (const { hooks } of course.struck) edited = hooks.answer?.(course.moment, edited) ?? edited;
    course.answerBytes = Number(edited.headers['content-length'] ?? 0);
    return edited;
  }

  #changedBody(exchange: Exchange, chunk: Uint8Array): Uint8Array {
    const course = this.#courses.get(exchange);
    if (!course) return chunk;
    const at = course.passedBytes;
    course.passedBytes += chunk.length;
    let changed = chunk;
    for (const { hooks } of course.struck) {
      changed = hooks.body?.(course.moment, changed, at, course.answerBytes) ?? changed;
    }
    return changed;
  }

  #momentOf(exchange: Exchange): Moment {
    const { headers, method, route, query } = exchange;
    const length = headers['content-length'];
    const unsized = headers['transfer-encoding'] !== undefined;
    return {
      exchange,
      kind: kindOf(method, route, query),
      declaredBytes: length !== undefined ? Number(length) : unsized ? undefined : 0,
      nowMs: this.#nowMs(),
    };
  }
}

/** Two changes of one request: each drops what it drops, and the slower pace counts. */
function bothChanges(first: RequestChange, second: RequestChange): RequestChange {
  const { headers: a, query: b } = first;
  const { headers: c, query: d } = second;
  const headers = a && c ? Object.fromEntries(Object.entries(a).filter(([name]) => name in c)) : (a ?? c);
  const query = b && d ? new URLSearchParams([...b].filter(([name]) => d.has(name))) : (b ?? d);
  const paces = [first.bytesPerSecond, second.bytesPerSecond].filter((pace) => pace !== undefined);
  const changes = [first.change, second.change].filter((change) => change !== undefined);
  return {
    ...(headers && { headers }),
    ...(query && { query }),
    ...(paces.length > 0 && { bytesPerSecond: Math.min(...paces) }),
    ...(changes.length > 0 && {
      change: (chunk, at) => changes.reduce((bytes, change) => change(bytes, at), chunk),
    }),
  };
}
