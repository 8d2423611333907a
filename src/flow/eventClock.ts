import { cancelled } from '../errors.ts';
import type { Clock } from './clock.ts';

interface Sleeper {
  readonly atMs: number;
  /** Sleepers of one moment wake in the order in which they fell asleep. */
  readonly order: number;
  wake(): void;
}

/**
 * A clock for many sleepers at once, for tests and simulations: it jumps to the next of them when nothing else is
 * left to do.
 */
export class EventClock implements Clock {
  readonly #heap: Sleeper[] = [];
  #nowMs = 0;
  #order = 0;

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(cancelled(signal.reason));
    return new Promise((resolve, reject) => {
      // One that is woken by an abort stays in the heap and wakes nobody when its time comes.
      const onAbort = () => reject(cancelled(signal?.reason));
      signal?.addEventListener('abort', onAbort, { once: true });
      const wake = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#push({ atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, wake });
    });
  }

  /** Runs until the work is done. A deadlock, in which nobody sleeps and the work goes on, is an error. */
  async run<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const ended = work.finally(() => {
      over = true;
    });
    ended.catch(() => {});
    for (;;) {
      // All that follows from the last event happens before time goes on.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (over) return ended;
      const next = this.#pop();
      if (!next) throw new Error('nobody sleeps, and the work is not done');
      this.#nowMs = next.atMs;
      next.wake();
    }
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap;
    let at = heap.push(sleeper) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(sleeper, heap[parent] as Sleeper)) break;
      heap[at] = heap[parent] as Sleeper;
      at = parent;
    }
    heap[at] = sleeper;
  }

  #pop(): Sleeper | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Sleeper, heap[child] as Sleeper)) child++;
      if (!isBefore(heap[child] as Sleeper, last)) break;
      heap[at] = heap[child] as Sleeper;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Sleeper, b: Sleeper): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
